"""The peak memory of a training step with activation checkpointing (Chen et al. 2016), by the model of MODEL.md.

In: a graph, the places where it is cut into segments, the batch. Out: its `Peak`. All segments but the last keep
nothing but what enters them; when the backward pass reaches one, it is computed again up to the last layer that keeps
something, as torch.utils.checkpoint does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from archspec.analyses.memory.heap import Peak, Storage
from archspec.analyses.memory.liveness import Life, TrainingStep, peak_of
from archspec.analyses.memory.operations import TorchOperation
from archspec.graph.ir import Graph
from archspec.layers.demand import Demand


class Recomputation:
    """The operations of a segment: computed again from `begin` to the last one that keeps something.

    What they read of earlier ones, `held`, is freed after the backward pass of the first one that keeps something.
    """

    __slots__ = ("begin", "first", "held", "last")

    def __init__(self, begin: int, keeping: Sequence[int]) -> None:
        self.begin = begin
        self.first = keeping[0]
        self.last = keeping[-1]
        self.held: list[Storage] = []


class CheckpointedStep(TrainingStep):
    """One training step whose activations are kept from the last cut on."""

    def __init__(self, graph: Graph, batch: int, cuts: Sequence[int]) -> None:
        super().__init__(graph, batch)
        reached = list(accumulate((operation.index for operation in self.made), max))
        places = {len(graph.sources), *(reached[cut - 1] + 1 for cut in cuts)}  # the inputs are there
        begins = sorted(places - {len(self.operations)})
        self.kept_from = begins[-1]
        self.is_forward = True
        self.kept = 0  # bytes alive at the end of the forward pass
        self.entering: dict[int, list[Recomputation]] = {}  # the segments that an operation's result enters
        self.segments: dict[int, Recomputation] = {}  # by their last operation that keeps something
        self.firsts: dict[int, Recomputation] = {}
        for begin, end in pairwise([*begins, len(self.operations)]):
            self._add(begin, end)

    def _add(self, begin: int, end: int) -> None:
        own = self.operations[begin:end]
        keeping = [one.index for one in own if one.learns and _keeps(one.demand())]
        segment = Recomputation(begin, keeping) if keeping and end <= self.kept_from else None
        if segment is not None:
            self.segments[segment.last] = self.firsts[segment.first] = segment
        for index in {source.index for one in own for source in one.sources if source.index < begin}:
            self.entering.setdefault(index, []).extend([segment] if segment else [])

    def _run(self, operation: TorchOperation) -> Life:
        life = super()._run(operation)
        if operation.index in self.entering:
            life.is_writable = False  # to layers of another segment
            if self.is_forward:
                for segment in self.entering[operation.index]:
                    segment.held.append(life.result)
                    life.result.holders += 1
        return life

    def _keep(self, operation: TorchOperation, demand: Demand, result: Storage) -> list[Storage]:
        if self.is_forward and operation.index < self.kept_from:
            self.heap.spike(demand.keeps)  # freed at once
            return []
        return super()._keep(operation, demand, result)

    def forward(self) -> None:
        """Compute all results; what only a segment reads is freed."""
        super().forward()
        self.is_forward = False
        self.kept = self.heap.total

    def _walk_back(self, operation: TorchOperation) -> None:
        if segment := self.segments.get(operation.index):
            self._recompute(segment)
            self.heap.moment = ("backward", operation.name)
        super()._walk_back(operation)
        if segment := self.firsts.get(operation.index):
            for storage in segment.held:
                self.heap.release(storage)

    def _recompute(self, segment: Recomputation) -> None:
        own = self.operations[segment.begin : segment.last + 1]
        for operation in own:
            self.heap.moment = ("recomputation", operation.name)
            life = self._begun(operation) if operation is own[-1] else self._run(operation)
            life.gradient = self.lives[operation.index].gradient
            self.lives[operation.index] = life
            for source in operation.sources:
                if source.index >= segment.begin:
                    self._read(source)
        for operation in own:
            if self.lives[operation.index].waiting > 0:  # for layers after the last that is computed again
                self.heap.release(self.lives[operation.index].result)

    def _begun(self, operation: TorchOperation) -> Life:
        """Compute the last operation; one that keeps only its inputs does so first, and is then interrupted."""
        demand = operation.demand()
        if demand.keeps_output or demand.keeps:
            return self._run(operation)
        nothing = Storage(0, "activations")
        life = Life(demand, nothing, operation.readers, is_writable=False)
        life.kept = self._keep(operation, demand, nothing)
        return life


def _keeps(demand: Demand) -> bool:
    return bool(demand.keeps_inputs or demand.keeps_output or demand.keeps)


def checkpointed_peak(graph: Graph, cuts: Sequence[int], batch: int = 1, weight_decay: float = True) -> Peak:
    """The largest number of bytes alive in the second training step, as `training_peak` has it, if the segments before
    the last of the `cuts`, places in the graph's nodes, are computed again in the backward pass."""
    return peak_of(CheckpointedStep(graph, batch, cuts), graph, weight_decay)
