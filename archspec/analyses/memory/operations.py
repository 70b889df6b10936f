"""What torch runs for a graph: mostly one operation a layer, in the graph's order.

In: a graph and the batch. Out: operations. A layer that torch runs as several operations lists them in `parts`:
attention, and a window whose pads differ from end to end. Factors are multiplied two at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from archspec.graph.ir import Graph, Node
from archspec.graph.volume import FLOAT_BYTES, Volume
from archspec.layers.base import Layer
from archspec.layers.demand import INDEX_BYTES, Demand, Workload
from archspec.layers.input import Input

SharedParameter = tuple[str, tuple[int, ...], int]  # its owner, its shape, its number among those of that shape


class TorchOperation(Workload):
    """What torch runs for a layer or a part of one, and where it stands among the others.

    `learns`: its result depends on a parameter, so that it is part of the backward pass. `shares` names its parameters
    if other operations use them too, and None is one of its own; `repeats` are those that an earlier one has.
    """

    __slots__ = ("index", "layer", "learns", "name", "readers", "repeats", "shares", "sources")

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
        self.shares: Sequence[SharedParameter | None] = ()
        self.repeats: frozenset[SharedParameter] = frozenset()
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
        has_own = self.layer.has_statistics and not self.repeats
        return 2 * FLOAT_BYTES * self.volume.channels + INDEX_BYTES if has_own else 0

    @property
    def parameters(self) -> list[int]:
        """Bytes of each parameter that it uses."""
        return [FLOAT_BYTES * prod(shape) for shape in self.shapes]

    @property
    def made_parameters(self) -> list[int]:
        """Bytes of each parameter that no operation before it uses."""
        if not self.repeats:
            return self.parameters
        named = zip(self.parameters, self.shares, strict=True)
        return [size for size, name in named if name is None or name not in self.repeats]

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
    """The operations of a training step, its inputs first, and for each node the one that outputs its volume.

    A node that training leaves out has that of the node before it.
    """
    program = Program(batch, graph)
    inputs = {source.index: program.input(source) for source in graph.sources}
    made: list[TorchOperation] = []
    trained = {node.index for node in graph.trained}
    for node in graph.nodes:
        if not node.inputs:
            made.append(inputs[node.index])
        elif node.index in trained:
            made.append(program.layer(node, [made[index] for index in node.inputs], graph.inputs(node)))
        else:
            made.append(made[-1])
    return program.operations, made


class Program:
    """The operations so far. Each method adds some and returns the one with the result."""

    def __init__(self, batch: int, graph: Graph) -> None:
        self.known = Known(batch)
        self.operations: list[TorchOperation] = []
        self.owners = {node.weights.owner for node in graph.nodes if node.weights is not None}
        self.shared: set[SharedParameter] = set()

    def input(self, source: Node) -> TorchOperation:
        """What enters the network: token ids take 8 bytes each."""
        operation = self._run(source.name, source.layer, (), source.volume)
        if isinstance(source.layer, Input) and source.layer.tokens:
            operation.made = INDEX_BYTES * operation.made // FLOAT_BYTES
        return operation

    def layer(self, node: Node, sources: Sequence[TorchOperation], volumes: tuple[Volume, ...]) -> TorchOperation:
        """What a layer runs."""
        begin = len(self.operations)
        operation = self._layer(node, sources, volumes)
        if node.weights is not None or node.name in self.owners:
            self._share(node, volumes, self.operations[begin:])
        return operation

    def _share(self, node: Node, volumes: tuple[Volume, ...], operations: Sequence[TorchOperation]) -> None:
        """Name the parameters that a layer shares, by their owner, their shape and how many of that shape it has."""
        owner, names = (node.weights.owner, node.weights.tensors) if node.weights else (node.name, None)
        tensors = node.layer.tensors(volumes)
        shared = {tensor.shape for tensor in tensors if names is None or tensor.name in names}
        counts: Counter[tuple[int, ...]] = Counter()
        for operation in operations:
            counted = []
            for shape in operation.shapes:
                counts[shape] += 1
                counted.append((owner, shape, counts[shape]) if shape in shared else None)
            operation.shares = counted
            operation.repeats = frozenset(one for one in counted if one in self.shared and one is not None)
            self.shared.update(one for one in counted if one is not None)

    def _layer(self, node: Node, sources: Sequence[TorchOperation], volumes: tuple[Volume, ...]) -> TorchOperation:
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
