"""BN folded into the layer before it: one product less, and the network's function is the same.

In: a graph and the weights. Out: which BN goes into which layer, and the weights that the layer then has. With
y = W x + b and BN(y) = g (y - m)/sqrt(v + eps) + h the folded layer is (s W) x + s (b - m) + h, s = g/sqrt(v + eps);
in float64, rounded once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.compiler.onnx.step import Step, Weights, weight
from archspec.graph.ir import Graph, Node
from archspec.layers.base import Layer, Tensor
from archspec.layers.conv import Conv, DepthwiseConv
from archspec.layers.linear import FullyConnected
from archspec.layers.norm import BatchNorm
from archspec.layers.upconv import TransposedConv
from archspec.record import replace

OUTPUT_AXIS: dict[type[Layer], int] = {Conv: 0, DepthwiseConv: 0, FullyConnected: 0, TransposedConv: 1}  # of the weight

Doubles = NDArray[np.float64]


def foldable(graph: Graph) -> dict[int, int]:
    """Each layer that takes up a BN, and that BN: the BN directly follows it and nothing else reads it."""
    pairs = {}
    for node in graph.nodes:
        if isinstance(node.layer, BatchNorm):
            (before,) = node.inputs
            if type(graph.nodes[before].layer) in OUTPUT_AXIS and graph.consumers[before] == (node.index,):
                pairs[before] = node.index
    return pairs


def fold(graph: Graph, node: Node, norm: Node, weights: Weights) -> tuple[Node, dict[str, NDArray[Any]]]:
    """The layer with the BN in it: a node that has a bias, and its weights."""
    scale, shift = _statistics(norm, graph.inputs(norm)[0].channels, weights)
    kernel, *rest = graph.tensors(node)
    shape = [1] * len(kernel.shape)
    shape[OUTPUT_AXIS[type(node.layer)]] = -1
    folded = weight(weights, node, kernel) * scale.reshape(shape)
    bias = weight(weights, node, rest[0]) * scale if rest else 0.0
    made = {f"{node.name}.weight": folded, f"{node.name}.bias": bias + shift}
    layer: Any = node.layer
    return replace(node, layer=replace(layer, bias=True)), {key: made[key].astype(np.float32) for key in made}


def scale_and_shift(step: Step) -> tuple[Doubles, Doubles]:
    """What a BN multiplies and adds, from its running statistics."""
    return _statistics(step.node, step.volume.channels, step.weights)


def _statistics(norm: Node, channels: int, weights: Weights) -> tuple[Doubles, Doubles]:
    names = ("weight", "bias", "running_mean", "running_var")
    found = (weight(weights, norm, Tensor(name, (channels,))) for name in names)
    gain, bias, mean, variance = (array.astype(np.float64) for array in found)
    layer: Any = norm.layer
    scale = gain / np.sqrt(variance + layer.eps)
    return scale, bias - mean * scale
