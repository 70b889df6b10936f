"""What torch says of a layer, for the layer contract: shape, parameters, arithmetic, what an output sees."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archspec.graph.volume import Volume
from archspec.layers.base import Layer, Window
from support.layer_modules import Inputs, torch_module

BATCH = 2
DRAWS = 20_000  # values of a probe's input: a pool shows its window only over many draws
NOISE = 1e-12  # a gradient below is a rounded zero


class Arithmetic(NamedTuple):
    """Multiply-accumulates for one image."""

    weights: int  # convolutions, and products with a weight matrix
    products: int  # products of two activations


def torch_shape(volume: Volume, batch: int = BATCH) -> tuple[int, ...]:
    return (batch, volume.channels, *volume.spatial) if volume.is_map else (batch, *volume)


def entering(layer: Layer, inputs: Inputs) -> list[Tensor]:
    """A tensor for each input; token ids are 0."""
    kind = torch.long if layer.reads_tokens else torch.float
    return [torch.zeros(torch_shape(volume), dtype=kind) for volume in inputs]


def output_shape(layer: Layer, inputs: Inputs) -> tuple[int, ...]:
    with torch.device("meta"):
        return tuple(torch_module(layer, inputs)(*entering(layer, inputs)).shape)


def parameters(layer: Layer, inputs: Inputs) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        named = torch_module(layer, inputs).named_parameters()
    return {name: tuple(parameter.shape) for name, parameter in named}


def arithmetic(layer: Layer, inputs: Inputs) -> Arithmetic:
    """By torch's flop counter, which knows every operation that a layer of ours multiplies by."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        torch_module(layer, inputs)(*entering(layer, inputs))
    counted = counter.get_flop_counts().get("Global", {})
    counts = {str(operation): flops for operation, flops in counted.items()}
    products = counts.pop("aten.bmm", 0)
    assert set(counts) <= {"aten.convolution", "aten.addmm", "aten.mm"}, "is this a weight or an activation?"
    return Arithmetic(sum(counts.values()) // (2 * BATCH), products // (2 * BATCH))


def shares_memory(layer: Layer, inputs: Inputs) -> bool:
    """Whether the output lies where the first input lay."""
    tensors = entering(layer, inputs)
    with torch.no_grad():
        output = torch_module(layer, inputs)(*tensors)
    return bool(output.untyped_storage().data_ptr() == tensors[0].untyped_storage().data_ptr())


def is_affine(layer: Layer, inputs: Inputs) -> bool:
    """Whether f(x + y) + f(0) = f(x) + f(y) for one input, over values past every bend."""
    torch.manual_seed(0)
    module = torch_module(layer, inputs).double()
    x, y = (10 * torch.randn(torch_shape(inputs[0]), dtype=torch.float64) for _ in range(2))
    with torch.no_grad():
        ends = module(x + y) + module(torch.zeros_like(x))
        return torch.allclose(ends, module(x) + module(y))


class Probe:
    """A layer with positive weights: its gradients say which places of an input an output sees."""

    def __init__(self, layer: Layer, inputs: Inputs) -> None:
        torch.manual_seed(0)
        self.inputs = inputs
        module = torch_module(layer, inputs).double()
        for parameter in module.parameters():
            nn.init.uniform_(parameter, 0.1, 1.0)
        batch = max(2, DRAWS // inputs[0].values)
        shapes = [torch_shape(volume, batch) for volume in inputs]
        self.tensors = [torch.rand(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
        self.output = module(*(tensor.clone() for tensor in self.tensors))

    def seen(self, which: int, *place: int) -> Tensor:
        """A mask over one input's places, [H, W] or [N], for the output's place (i, j), (n,) or ()."""
        output = self.output if not place else self.output[self._index(place)]
        weighted = (output * torch.rand_like(output)).sum()  # a softmax's plain sum has no gradient
        (gradient,) = torch.autograd.grad(weighted, self.tensors[which], retain_graph=True)
        mask = gradient.abs() > NOISE
        return mask.any(0).any(0) if self.inputs[which].is_map else mask.any(0).any(-1)

    @staticmethod
    def _index(place: tuple[int, ...]) -> tuple[slice | int, ...]:
        every = slice(None)
        return (every, every, *place) if len(place) == 2 else (every, *place)


def pixels_seen(window: Window, axis: int, place: int, size: int) -> set[int]:
    """The pixels that a place of the output sees along an axis, as the docstring of `Window` says."""
    if window.is_global:
        return set(range(size))
    kernel, pad, scale = window.kernel[axis], window.pad[axis], window.scale[axis]
    if window.is_tiled:
        begin = (place + pad) // kernel * kernel - pad
        return set(range(size)) & set(range(begin, begin + kernel))
    begin, step = place * window.stride[axis] - pad, window.dilation[axis]
    fine = range(begin, begin + step * (kernel - 1) + 1, step)
    return {point // scale for point in fine if point % scale == 0} & set(range(size))
