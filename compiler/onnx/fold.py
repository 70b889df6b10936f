"""BN folded into the layer before it: one operation less, and the network computes the same function.

In: a graph and the weights. Out: which BN is folded into which layer, and that layer's new weights. With
y = W x + b and BN(y) = g (y - m)/sqrt(v + eps) + h the folded layer is (s W) x + s (b - m) + h, s = g/sqrt(v + eps);
in float64, rounded once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.compiler.onnx.node_writer import NodeWriter, Weights, weight
from archspec.graph.ir import Graph, Node
from archspec.layers.base import Tensor
from archspec.layers.norm import BatchNorm
from archspec.record import replace

Doubles = NDArray[np.float64]


def foldable(graph: Graph) -> dict[int, int]:
    """Each layer that a BN is folded into, and that BN: it directly follows and is the only reader."""
    pairs = {}
    for node in graph.nodes:
        if isinstance(node.layer, BatchNorm):
            (before,) = node.inputs
            if graph.nodes[before].layer.output_axis is not None and graph.consumers[before] == (node.index,):
                pairs[before] = node.index
    return pairs


def fold(graph: Graph, node: Node, norm: Node, weights: Weights) -> tuple[Node, dict[str, NDArray[Any]]]:
    """The layer with the BN folded in: a node with a bias, and its weights."""
    scale, shift = _statistics(norm, graph.inputs(norm)[0].channels, weights)
    kernel, *rest = graph.tensors(node)
    shape = [1] * len(kernel.shape)
    axis = node.layer.output_axis
    assert axis is not None, f"{node.name} takes no BN"
    shape[axis] = -1
    folded = weight(weights, node, kernel) * scale.reshape(shape)
    bias = weight(weights, node, rest[0]) * scale if rest else 0.0
    made = {f"{node.name}.weight": folded, f"{node.name}.bias": bias + shift}
    layer: Any = node.layer
    return replace(node, layer=replace(layer, bias=True)), {key: made[key].astype(np.float32) for key in made}


def scale_and_shift(writer: NodeWriter) -> tuple[Doubles, Doubles]:
    """The factor and the term of a BN, from its running statistics."""
    return _statistics(writer.node, writer.volume.channels, writer.weights)


def _statistics(norm: Node, channels: int, weights: Weights) -> tuple[Doubles, Doubles]:
    names = ("weight", "bias", "running_mean", "running_var")
    found = (weight(weights, norm, Tensor(name, (channels,))) for name in names)
    gain, bias, mean, variance = (array.astype(np.float64) for array in found)
    layer: Any = norm.layer
    scale = gain / np.sqrt(variance + layer.eps)
    return scale, bias - mean * scale
