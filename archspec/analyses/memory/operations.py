"""What torch runs for a graph: mostly one operation a layer, in the graph's order.

In: a graph. Out: operations. Attention is a projection to queries, keys and values, the attention itself and another
projection; Swin's first cuts the map into windows and then puts it together again. A window whose pads differ from
end to end pads first, because torch's own windows pad both ends alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archspec.analyses.memory.demand import Operation
from archspec.ir import Graph, Node
from archspec.layers.attention import Attention
from archspec.layers.base import Layer
from archspec.layers.conv import Convolution
from archspec.layers.linear import FullyConnected
from archspec.layers.pixels import Pad
from archspec.layers.pool import Pooling
from archspec.volume import Volume

Shapes = tuple[tuple[int, ...], ...]


class Core(Layer):
    """Softmax(Q K^T) V, of queries, keys and values that lie side by side; `scores` for each image.

    `is_fused`: in one kernel that keeps no scores. torch has none for scores that are learned; `masks` of them.
    """

    heads: int
    scores: int
    is_fused: bool
    is_masked: bool


class Windows(Layer):
    """A map rolled, cut into windows, or put together again: a copy."""


def operations(graph: Graph) -> tuple[list[Operation], list[int]]:
    """The operations of a graph, and which of them are its class scores, those of auxiliary classifiers too."""
    program = Program()
    made = []  # for each node, the operation that makes its volume
    for node in graph.nodes:
        made.append(program.layer(node, tuple(made[index] for index in node.inputs), graph.inputs(node)))
    ends = {graph.output, *(head.output for head in graph.heads)}
    return program.operations, sorted(made[index] for index in ends)


class Program:
    """The operations so far. Each method adds some and says where the result is."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def layer(self, node: Node, inputs: tuple[int, ...], volumes: tuple[Volume, ...]) -> int:
        """What a layer runs."""
        layer, shapes = node.layer, ()
        if inputs:
            shapes = tuple([tensor.shape for tensor in layer.tensors(volumes)])
        if isinstance(layer, Attention):
            return self._attention(node.name, layer, inputs[0], volumes[0], shapes)
        if isinstance(layer, (Convolution, Pooling)) and any(begin != end for begin, end in layer.pads):
            pad = Pad(layer.pads)
            volumes, before = (pad.output(volumes),), volumes
            inputs = (self._add(Operation(node.name, pad, inputs, before, volumes[0], ())),)
        return self._add(Operation(node.name, layer, inputs, volumes, node.volume, shapes))

    def _add(self, operation: Operation) -> int:
        self.operations.append(operation)
        return len(self.operations) - 1

    def _attention(self, name: str, layer: Attention, source: int, volume: Volume, shapes: Shapes) -> int:
        channels, vectors = volume.channels, prod(volume.spatial)
        copies = 0
        if layer.window is not None:
            copies = 1 + any(layer.shifts(volume))
        for _ in range(copies):
            source = self._copy(name, source, volume)
        core = Core(layer.heads, layer.scratch((volume,)), not layer.relpos, copies > 1)
        lined = Volume((vectors, channels))
        tripled = Volume((vectors, 3 * channels))
        source = self._line(name, FullyConnected(3 * channels), source, (lined, tripled), shapes[:2])
        source = self._line(name, core, source, (tripled, lined), shapes[4:])
        source = self._line(name, FullyConnected(channels), source, (lined, lined), shapes[2:4])
        for _ in range(copies):
            source = self._copy(name, source, volume)
        return source

    def _copy(self, name: str, source: int, volume: Volume) -> int:
        return self._add(Operation(name, Windows(), (source,), (volume,), volume, ()))

    def _line(self, name: str, layer: Layer, source: int, volumes: Sequence[Volume], shapes: Shapes) -> int:
        return self._add(Operation(name, layer, (source,), (volumes[0],), volumes[1], shapes))
