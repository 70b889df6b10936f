"""First weights, as the papers say.

In: a graph and its module. Out: the module's parameters, filled. Weights before a rectifier get He's variance over
their inputs, which keeps the forward pass in scale without a BN too (He et al. 2015, "Delving deep into rectifiers");
others Glorot's (Glorot & Bengio 2010), attention's among them; biases 0; normalisations scale by 1 and shift by 0;
class tokens and position embeddings are a normal of 0.02, cut at twice that (ViT's, after BERT).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from archspec.graph.ir import Graph, Node
from archspec.graph.volume import Volume
from archspec.layers.base import Layer

TOKEN_STD = 0.02
SETTLING = 4  # images that give an untrained network its statistics


class Unfilled(TorchFunctionMode):
    """Modules built within get zeros instead of random weights that would be drawn and then replaced."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Fill with zeros instead of drawing; run anything else as it is."""
        if func in (nn.init.kaiming_uniform_, nn.init.xavier_uniform_, nn.init.uniform_):
            return nn.init.zeros_((*args, *(kwargs or {}).values())[0])
        return func(*args, **(kwargs or {}))


def initialise(graph: Graph, module: nn.Module, generator: Generator | None) -> None:
    """Fill the parameters; norms and learned scales keep the values of their modules."""
    rectified = _rectified(graph)
    with torch.no_grad():
        for node in graph.nodes:
            if not node.inputs or not graph.tensors(node):
                continue
            own = module.get_submodule(node.name)
            if node.layer.is_weight_layer:
                _fill(own, _fan_in(graph, node) if rectified[node.index] else None, generator)
            elif node.layer.is_embedding:
                for parameter in own.parameters():
                    _normal(parameter, generator)


def settle(module: nn.Module, volume: Volume, seed: int) -> None:
    """Give batch normalisations, layer by layer, the mean square of a batch of normal images as their variance.

    Before training they are 0 and 1, with which the variance doubles from one residual block to the next: in
    inference, ResNet-1202 would overflow float32. Means stay 0: images are so alike after many random layers that
    without their mean little more than rounding errors would be left (Yang et al. 2019, "A mean field theory of batch
    normalization").
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    hooks = [norm.register_forward_pre_hook(_take_square) for norm in norms]
    with torch.no_grad():
        module.eval()(torch.randn(SETTLING, *volume.laid_out, generator=Generator().manual_seed(seed)))
    for hook in hooks:
        hook.remove()


def _take_square(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    """Store the mean square of each channel; a sequence has its channels last."""
    (x,) = inputs
    vectors = (x if x.dim() == 3 else x.movedim(1, -1)).flatten(0, -2)
    norm.get_buffer("running_var").copy_(vectors.square().mean(0))


def _fill(own: nn.Module, fan_in: float | None, generator: Generator | None) -> None:
    """He's normal distribution for a given fan-in, otherwise Glorot's; tables get a narrow one."""
    for name, parameter in own.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif not name.endswith("weight"):
            _normal(parameter, generator)
        elif fan_in is None:
            nn.init.xavier_uniform_(parameter, generator=generator)
        else:
            nn.init.normal_(parameter, std=(2 / fan_in) ** 0.5, generator=generator)


def _fan_in(graph: Graph, node: Node) -> float:
    """The number of products summed in one value of the output: of a UPCONV, on average."""
    return node.layer.macs(graph.inputs(node), node.volume) / node.volume.values


def _normal(parameter: nn.Parameter, generator: Generator | None) -> None:
    nn.init.trunc_normal_(parameter, std=TOKEN_STD, a=-2 * TOKEN_STD, b=2 * TOKEN_STD, generator=generator)


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
