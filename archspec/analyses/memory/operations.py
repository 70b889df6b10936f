"""What torch runs for a graph: mostly one operation a layer, in the graph's order.

In: a graph and the batch. Out: operations. Attention is a projection to queries, keys and values, the attention itself
and another projection; Swin's first cuts the map into windows and then puts it together again. A window whose pads
differ from end to end pads first, because torch's own windows pad both ends alike; factors are multiplied two by two.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archspec.analyses.memory.demand import Operation
from archspec.graph.ir import Graph, Node
from archspec.graph.volume import Volume
from archspec.layers.attention import Attention
from archspec.layers.base import Layer
from archspec.layers.conv import Convolution
from archspec.layers.linear import FullyConnected
from archspec.layers.merge import Mul
from archspec.layers.pixels import Pad
from archspec.layers.pool import Pooling

Shapes = tuple[tuple[int, ...], ...]


class Core(Layer):
    """Softmax(Q K^T) V, of queries, keys and values that lie side by side; so many scores for an image."""

    heads: int
    scores: int
    is_fused: bool  # one kernel, which keeps no scores; torch has none for scores to which something learned is added
    is_masked: bool  # pixels that only the shift brought together do not see each other


class Windows(Layer):
    """A map rolled, cut into windows, or put together again: a copy."""


def operations(graph: Graph, batch: int) -> tuple[list[Operation], list[Operation]]:
    """The operations of a graph, and those of them that make class scores, the auxiliary classifiers' too."""
    program = Program(batch)
    made: list[Operation] = []  # for each node, what makes its volume
    for node in graph.nodes:
        made.append(program.layer(node, [made[index] for index in node.inputs], graph.inputs(node)))
    ends = sorted({graph.output, *(head.output for head in graph.heads)})
    return program.operations, [made[index] for index in ends]


class Program:
    """The operations so far. Each method adds some and returns the one that makes the result."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.operations: list[Operation] = []

    def layer(self, node: Node, sources: Sequence[Operation], volumes: tuple[Volume, ...]) -> Operation:
        """What a layer runs."""
        layer = node.layer
        shapes = tuple([tensor.shape for tensor in layer.tensors(volumes)]) if sources else ()
        if isinstance(layer, Attention):
            return self._attention(node.name, layer, sources[0], shapes)
        if isinstance(layer, (Convolution, Pooling)):
            (top, bottom), (left, right) = layer.pads
            if top != bottom or left != right:
                pad = Pad(layer.pads)
                sources = [self._run(node.name, pad, sources, pad.output(volumes))]
        if isinstance(layer, Mul):
            for factor in sources[2:]:
                product = max((source.volume for source in sources[:2]), key=len)
                sources = [self._run(node.name, layer, sources[:2], product), factor]
        return self._run(node.name, layer, sources, node.volume, shapes)

    def _run(
        self, name: str, layer: Layer, sources: Sequence[Operation], volume: Volume, shapes: Shapes = ()
    ) -> Operation:
        operation = Operation(len(self.operations), name, layer, sources, volume, shapes, self.batch)
        self.operations.append(operation)
        return operation

    def _attention(self, name: str, layer: Attention, source: Operation, shapes: Shapes) -> Operation:
        volume, channels = source.volume, source.volume.channels
        vectors = Volume((prod(volume.spatial), channels))
        rolls = layer.window is not None and any(layer.shifts(volume))
        core = Core(layer.heads, layer.scratch((volume,)), is_fused=not layer.relpos, is_masked=rolls)
        if rolls:
            source = self._run(name, Windows(), [source], volume)
        if layer.window is not None:
            source = self._run(name, Windows(), [source], vectors)
        tripled = Volume((vectors[0], 3 * channels))
        source = self._run(name, FullyConnected(3 * channels), [source], tripled, shapes[:2])
        source = self._run(name, core, [source], vectors, shapes[4:])
        source = self._run(name, FullyConnected(channels), [source], vectors, shapes[2:4])
        if layer.window is not None:
            source = self._run(name, Windows(), [source], volume)
        if rolls:
            source = self._run(name, Windows(), [source], volume)
        return source
