"""BN folded into the layer before it: one operation less, and the network computes the same function.

In: a graph and the weights. Out: which BN is folded into which layer, and that layer's new weights. With
y = W x + b and BN(y) = g (y - m)/sqrt(v + eps) + h the folded layer is (s W) x + s (b - m) + h, s = g/sqrt(v + eps);
in float64, rounded once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.compiler.onnx.names.parameters import STATISTICS, Parameters
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.graph.ir import Graph, Node, SharedWeights
from archspec.layers.base import Tensor
from archspec.layers.norm import BatchNorm
from archspec.record import replace

Doubles = NDArray[np.float64]
OF_BATCHES = ("weight", "bias", *STATISTICS)


def foldable(graph: Graph, weights: Parameters) -> dict[int, int]:
    """Each layer that a BN is folded into, and that BN: it directly follows and is the only reader.

    Layers that share weights share the folded ones too, or none is folded.
    """
    pairs = {}
    for node in graph.nodes:
        if isinstance(node.layer, BatchNorm):
            (before,) = node.inputs
            if graph.nodes[before].layer.output_axis is not None and graph.readers[before] == 1:
                pairs[before] = node.index
    if not weights.users:
        return pairs
    return {before: norm for before, norm in pairs.items() if _all_fold(before, pairs, weights)}


def _all_fold(before: int, pairs: dict[int, int], weights: Parameters) -> bool:
    """Whether the folded weights of a layer are those of all layers that share its weights."""
    nodes = weights.graph.nodes

    def made_of(user: int) -> tuple[Any, ...]:
        layer, norm = nodes[user], nodes[pairs[user]]
        return weights.names(layer), layer.layer.output_axis, weights.names(norm), norm.layer

    users = {user for name in weights.names(nodes[before]) for user in weights.users.get(name, ())}
    return all(user in pairs and made_of(user) == made_of(before) for user in users)


def fold(node: Node, norm: Node, weights: Parameters) -> tuple[Node, Parameters]:
    """The layer with the BN folded in: a node with a bias, and its weights."""
    graph = weights.graph
    scale, shift = _statistics(norm, graph.inputs(norm)[0].channels, weights)
    kernel, *rest = node.layer.tensors(graph.inputs(node))
    shape = [1] * len(kernel.shape)
    axis = node.layer.output_axis
    assert axis is not None, f"{node.name} takes no BN"
    shape[axis] = -1
    folded = weights.array(node, kernel) * scale.reshape(shape)
    bias = weights.array(node, rest[0]) * scale if rest else 0.0
    owner = graph.parameter(node, kernel.name).removesuffix(f".{kernel.name}")
    made = {f"{owner}.weight": folded, f"{owner}.bias": bias + shift}
    layer: Any = node.layer
    own = SharedWeights(owner, ("weight", "bias"))
    found = replace(node, layer=replace(layer, bias=True), weights=own)
    return found, weights.holding({key: made[key].astype(np.float32) for key in made})


def scale_and_shift(writer: NodeWriter) -> tuple[Doubles, Doubles]:
    """The factor and the term of a BN, from its running statistics."""
    return _statistics(writer.node, writer.volume.channels, writer.weights)


def _statistics(norm: Node, channels: int, weights: Parameters) -> tuple[Doubles, Doubles]:
    found = (weights.array(norm, Tensor(name, (channels,))) for name in OF_BATCHES)
    gain, bias, mean, variance = (array.astype(np.float64) for array in found)
    layer: Any = norm.layer
    scale = gain / np.sqrt(variance + layer.eps)
    return scale, bias - mean * scale
