"""What torch runs for a graph: mostly one operation a layer, in the graph's order.

In: a graph and the batch. Out: operations. A layer that torch runs as several operations lists them in `parts`:
attention, and a window whose pads differ from end to end. Factors are multiplied two at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archspec.graph.ir import Graph, Node
from archspec.graph.volume import FLOAT_BYTES, Volume
from archspec.layers.base import Layer
from archspec.layers.demand import INDEX_BYTES, Demand, Workload


class TorchOperation(Workload):
    """What torch runs for a layer or a part of one, and where it stands among the others.

    `learns`: its result depends on a parameter, so that it is part of the backward pass.
    """

    __slots__ = ("index", "layer", "learns", "name", "readers", "sources")

    def __init__(  # noqa: PLR0913, PLR0917  # the fields of a record, of which hundreds are created
        self, index: int, name: str, layer: Layer, sources: Sequence[TorchOperation], volume: Volume, known: Known
    ) -> None:
        inputs = known.inputs(sources)
        super().__init__(inputs, volume, known.shapes(layer, inputs), known.batch)
        self.index = index  # in the list of operations
        self.name = name
        self.layer = layer
        self.sources = sources
        self.readers = 0
        for source in sources:
            source.readers += 1
            self.continues = self.continues or source.learns
        self.learns: bool = self.continues or bool(self.shapes)
        if sources:
            self.channels_last = sources[0].leaves_channels_last
            self.reads_window = sources[0].layer.leaves_window

    @property
    def leaves_channels_last(self) -> bool:
        """Whether its result is stored pixel by pixel; what a vector is made into is not."""
        return self.channels_last or (
            self.layer.leaves_channels_last and self.volume.is_map and len(self.inputs[0]) > 1
        )

    @property
    def statistics(self) -> int:
        """Bytes of running statistics: mean and variance of each channel, and an int64 counter."""
        return 2 * FLOAT_BYTES * self.volume.channels + INDEX_BYTES if self.layer.has_statistics else 0

    @property
    def parameters(self) -> list[int]:
        """Bytes of each parameter."""
        return [FLOAT_BYTES * prod(shape) for shape in self.shapes]

    def demand(self) -> Demand:
        """What its layer asks for."""
        return self.layer.demand(self)


class Known:
    """What is the same for all operations, and for those of one layer on the same volumes, which share it."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self._inputs: dict[tuple[Volume, ...], tuple[Volume, ...]] = {}
        self._shapes: dict[tuple[int, tuple[Volume, ...]], tuple[tuple[int, ...], ...]] = {}
        self._parts: dict[tuple[int, tuple[Volume, ...]], tuple[Layer, ...]] = {}  # which keeps them alive

    def inputs(self, sources: Sequence[TorchOperation]) -> tuple[Volume, ...]:
        """The volumes that enter an operation."""
        inputs = tuple([source.volume for source in sources])
        return self._inputs.setdefault(inputs, inputs)

    def shapes(self, layer: Layer, inputs: tuple[Volume, ...]) -> tuple[tuple[int, ...], ...]:
        """The shapes of a layer's parameters."""
        key = id(layer), inputs
        if key not in self._shapes:
            self._shapes[key] = tuple([tensor.shape for tensor in layer.tensors(inputs)]) if inputs else ()
        return self._shapes[key]

    def parts(self, layer: Layer, inputs: tuple[Volume, ...]) -> tuple[Layer, ...]:
        """The layers that torch runs for one."""
        key = id(layer), inputs
        if key not in self._parts:
            self._parts[key] = (layer.parts(inputs) if inputs else ()) or (layer,)
        return self._parts[key]


def operations(graph: Graph, batch: int) -> tuple[list[TorchOperation], list[TorchOperation]]:
    """The operations of a graph, and for each node the one that outputs its volume."""
    program = Program(batch)
    made: list[TorchOperation] = []
    for node in graph.nodes:
        made.append(program.layer(node, [made[index] for index in node.inputs], graph.inputs(node)))
    return program.operations, made


class Program:
    """The operations so far. Each method adds some and returns the one with the result."""

    def __init__(self, batch: int) -> None:
        self.known = Known(batch)
        self.operations: list[TorchOperation] = []

    def layer(self, node: Node, sources: Sequence[TorchOperation], volumes: tuple[Volume, ...]) -> TorchOperation:
        """What a layer runs."""
        layer = node.layer
        if layer.is_pairwise:
            for factor in sources[2:]:
                product = layer.output((sources[0].volume, sources[1].volume))
                sources = [self._run(node.name, layer, sources[:2], product), factor]
        *first, last = self.known.parts(layer, volumes)
        for part in first:
            sources = [self._run(node.name, part, sources, part.output(tuple(source.volume for source in sources)))]
        return self._run(node.name, last, sources, node.volume)

    def _run(self, name: str, layer: Layer, sources: Sequence[TorchOperation], volume: Volume) -> TorchOperation:
        operation = TorchOperation(len(self.operations), name, layer, sources, volume, self.known)
        self.operations.append(operation)
        return operation
