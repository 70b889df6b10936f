"""First weights, as the papers say.

In: a graph and the modules of its layers. Out: their parameters, filled. Weights before a rectifier get He's variance
over their inputs, which keeps the forward pass in scale without a BN too (He et al. 2015, "Delving deep into
rectifiers"); others Glorot's (Glorot & Bengio 2010), attention's among them; biases 0; normalisations scale by 1 and
shift by 0; class tokens, position embeddings and Swin's offsets are normal with a deviation of 0.02. `init` in a spec
replaces them: of weights it is the deviation of a normal distribution, without the cut at +-2 that some authors' code
has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.lowering.sharing import module_names
from archspec.graph.ir import Graph, Node
from archspec.layers.attention import Attention
from archspec.layers.base import Layer
from archspec.layers.sequence import TOKEN_STD
from archspec.layers.weighted import Biased, Startable

Fill = Callable[..., None]  # of a parameter and a generator
SETTLING = 4  # images that give an untrained network its statistics


class Unfilled(TorchFunctionMode):
    """Modules built within get zeros instead of random weights that would be drawn and then replaced."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Fill with zeros instead of drawing; run anything else as it is."""
        if func in (nn.init.kaiming_uniform_, nn.init.xavier_uniform_, nn.init.uniform_, nn.init.normal_):
            return nn.init.zeros_((*args, *(kwargs or {}).values())[0])
        return func(*args, **(kwargs or {}))


def initialise(
    graph: Graph, find: Callable[[Node, str], nn.Module], generator: Generator | None, follow_init: bool = True
) -> None:
    """Fill the parameters; norms and learned scales keep the values of their modules unless the spec gives others.

    `find` returns a module of a layer by its name. All layers draw from one generator, in the graph's order; shared
    parameters are drawn once, for the layer that makes them. Without `follow_init` the spec's `init` counts for
    nothing.
    """
    rectified = _rectified(graph)
    with torch.no_grad():
        for node in graph.nodes:
            if not node.inputs or not graph.tensors(node):
                continue
            modules = [find(node, name) for name in module_names(graph, node)]
            own = {name: parameter for module in modules for name, parameter in module.named_parameters()}
            stated = _stated(node) if follow_init else None
            if node.layer.is_weight_layer:
                bias = node.layer.bias_init if follow_init and isinstance(node.layer, Biased) else None
                _fill(own, _rule(graph, node, rectified[node.index], stated), bias or 0.0, generator)
            elif node.layer.is_embedding:
                for parameter in own.values():
                    _normal(parameter, TOKEN_STD if stated is None else stated, generator)
            elif stated is not None and "weight" in own:
                own["weight"].fill_(stated)
            del modules, own  # before the next is found: one layer at a time may be in memory


def _stated(node: Node) -> float | None:
    """What the spec says of a layer's first weights: its step, otherwise an `init` line."""
    own = node.layer.init if isinstance(node.layer, Startable) else None
    return node.init if own is None else own


def settle(module: nn.Module, graph: Graph, seed: int) -> None:
    """Give batch normalisations, layer by layer, the mean square of a batch of random inputs as their variance.

    Before training they are 0 and 1, with which the variance doubles from one residual block to the next: in
    inference, ResNet-1202 would overflow float32. Means stay 0: images are so alike after many random layers that
    without their mean little more than rounding errors would be left (Yang et al. 2019, "A mean field theory of batch
    normalization").
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    hooks = [norm.register_forward_pre_hook(_take_square) for norm in norms]
    with torch.no_grad():
        module.eval()(*random_inputs(graph, SETTLING, Generator().manual_seed(seed)))
    for hook in hooks:
        hook.remove()


def _take_square(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    """Store the mean square of each channel; a sequence has its channels last."""
    (x,) = inputs
    vectors = (x if x.dim() == 3 else x.movedim(1, -1)).flatten(0, -2)
    norm.get_buffer("running_var").copy_(vectors.square().mean(0))


def _rule(graph: Graph, node: Node, is_rectified: bool, stated: float | None) -> Fill:
    """Return what fills the weights of a layer: the stated deviation, He's, or Glorot's."""
    if stated is not None:
        return partial(_normal, std=stated)
    if is_rectified:
        return partial(_normal, std=(2 / _fan_in(graph, node)) ** 0.5)
    bound = math.sqrt(3) * math.sqrt(2 / (_fan_in(graph, node) + _fan_out(graph, node)))
    return partial(_uniform, bound=bound)


def _fill(own: Mapping[str, nn.Parameter], weights: Fill, bias: float, generator: Generator | None) -> None:
    """Fill weights by their rule, biases with their value, and tables of offsets with a narrow distribution."""
    for name, parameter in own.items():
        if name.endswith("bias"):
            nn.init.constant_(parameter, bias)
        elif name.endswith("weight"):
            weights(parameter, generator=generator)
        else:
            _normal(parameter, TOKEN_STD, generator)


def _fan_in(graph: Graph, node: Node) -> float:
    """The number of products summed in one value of the output: of a UPCONV, on average."""
    if isinstance(node.layer, Attention):
        return node.volume.channels
    return node.layer.macs(graph.inputs(node), node.volume) / node.volume.values


def _fan_out(graph: Graph, node: Node) -> float:
    """The number of products that one value of the input is in, on average and away from the edges.

    Groups and strides count: a patch of ViT is in as many products as there are channels, as in the matrix that the
    convolution stands for. The three matrices of an attention's queries, keys and values count each for itself, as in
    the code of ViT's authors; torch's MultiheadAttention takes them for one.
    """
    if isinstance(node.layer, Attention):
        return node.volume.channels
    (volume,) = graph.inputs(node)
    slides = node.layer.slides()
    if slides is None:
        return node.layer.macs((volume,), node.volume) / volume.values
    high, wide = slides[1]
    return _fan_in(graph, node) * node.volume.channels / (volume.channels * high * wide)


def _normal(parameter: Tensor, std: float, generator: Generator | None) -> None:
    if std:
        nn.init.normal_(parameter, std=std, generator=generator)
    else:
        nn.init.zeros_(parameter)


def _uniform(parameter: Tensor, bound: float, generator: Generator | None) -> None:
    nn.init.uniform_(parameter, -bound, bound, generator=generator)


def _rectified(graph: Graph) -> list[bool]:
    """For each node, whether it sums up weights before a rectifier, past layers that pass their values on."""
    found = [False] * len(graph.nodes)
    for node in reversed(graph.nodes):
        after = [graph.nodes[index] for index in graph.consumers[node.index]]
        found[node.index] = any(
            one.layer.is_rectifier or (_passes_values(one.layer) and found[one.index]) for one in after
        )
    return [rectified and node.layer.is_linear for node, rectified in zip(graph.nodes, found, strict=True)]


def _passes_values(layer: Layer) -> bool:
    return layer.passes_values or (layer.is_linear and not layer.is_weight_layer)
