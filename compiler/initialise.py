"""First weights, as the papers say.

In: a graph and its module. Out: the module's parameters, filled. Weights before a rectifier get He's variance over
their inputs, which keeps the forward pass in scale without a BN too (He et al. 2015, "Delving deep into rectifiers");
others Glorot's (Glorot & Bengio 2010), attention's among them; biases 0; normalisations scale by 1 and shift by 0;
class tokens and position embeddings are a normal of 0.02, cut at twice that (ViT's, after BERT).
"""

from __future__ import annotations

import torch
from torch import Generator, nn

from archspec.ir import Graph, Node
from archspec.layers.activation import Gelu, HardSwish, Relu, Relu6, Silu
from archspec.layers.attention import Attention
from archspec.layers.conv import Convolution
from archspec.layers.linear import FullyConnected
from archspec.layers.sequence import ClassToken, PositionEmbedding
from archspec.layers.upconv import TransposedConv

RECTIFIERS = (Relu, Relu6, Gelu, Silu, HardSwish)
TOKEN_STD = 0.02


def initialise(graph: Graph, module: nn.Module, generator: Generator | None) -> None:
    """Fill the parameters; norms and learned scales keep what their modules began with."""
    with torch.no_grad():
        for node in graph.nodes:
            if not node.inputs or not graph.tensors(node):
                continue
            own = module.get_submodule(node.name)
            if isinstance(node.layer, Convolution | TransposedConv | FullyConnected):
                _fill(own, _is_rectified(graph, node), generator)
            elif isinstance(node.layer, Attention):
                _fill_attention(own, generator)
            elif isinstance(node.layer, ClassToken | PositionEmbedding):
                _normal(own.get_parameter("weight"), generator)


def _fill(own: nn.Module, rectified: bool, generator: Generator | None) -> None:
    weight = own.get_parameter("weight")
    if rectified:
        nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="relu", generator=generator)
    else:
        nn.init.xavier_uniform_(weight, generator=generator)
    if getattr(own, "bias", None) is not None:
        nn.init.zeros_(own.get_parameter("bias"))


def _fill_attention(own: nn.Module, generator: Generator | None) -> None:
    for name, parameter in own.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif name.endswith("weight"):
            nn.init.xavier_uniform_(parameter, generator=generator)
        else:
            _normal(parameter, generator)


def _normal(parameter: nn.Parameter, generator: Generator | None) -> None:
    nn.init.trunc_normal_(parameter, std=TOKEN_STD, a=-2 * TOKEN_STD, b=2 * TOKEN_STD, generator=generator)


def _is_rectified(graph: Graph, node: Node) -> bool:
    """Whether what comes next, but for linear layers on one path, is a rectifier."""
    readers = graph.consumers[node.index]
    while len(readers) == 1:
        after = graph.nodes[readers[0]]
        if isinstance(after.layer, RECTIFIERS):
            return True
        if not after.layer.is_linear or after.layer.is_weight_layer or len(after.inputs) > 1:
            return False
        readers = graph.consumers[after.index]
    return any(isinstance(graph.nodes[index].layer, RECTIFIERS) for index in readers)
