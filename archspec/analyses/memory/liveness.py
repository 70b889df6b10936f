"""The peak memory of a training step, by liveness over a graph. No torch in here.

In: a graph, the batch, and whether there is weight decay. Out: the bytes alive at the worst moment of the second step
of SGD with momentum (zero_grad, forward, backward, update), with that moment's name and what the bytes are. What a
layer asks for is in its class; MODEL.md states the model and how far it can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archspec.analyses.memory.heap import Heap, Peak, Storage
from archspec.analyses.memory.operations import SharedParameter, TorchOperation, operations
from archspec.graph.ir import Graph
from archspec.layers.demand import INDEX_BYTES, NEW, PART, SAME, TURNED, Demand
from archspec.layers.linear import FullyConnected


class Gradient:
    """The gradient that has arrived so far for one result.

    `is_whole`: not a window on a larger storage, so that more can be added to it. `is_dense`: its values lie side by
    side in the order that kernels expect.
    """

    __slots__ = ("is_dense", "is_whole", "storage")

    def __init__(self, storage: Storage, is_whole: bool = True, is_dense: bool = True) -> None:
        self.storage = storage
        self.is_whole = is_whole
        self.is_dense = is_dense


class Life:
    """One operation during the step: its demand, its result, what it keeps, its gradient."""

    __slots__ = ("demand", "gradient", "is_writable", "kept", "result", "waiting")

    def __init__(self, demand: Demand, result: Storage, readers: int, is_writable: bool) -> None:
        self.demand = demand
        self.result = result
        self.waiting = readers  # that have not run yet
        self.is_writable = is_writable  # autograd lets its only reader write into the result
        self.kept: Sequence[Storage] = ()
        self.gradient: Gradient | None = None


class TrainingStep:
    """One training step."""

    def __init__(self, graph: Graph, batch: int) -> None:
        self.operations, self.made = operations(graph, batch)
        self.ends = [self.made[index] for index in sorted({loss.node for loss in graph.training_results})]
        for end in self.ends:
            end.readers += 1  # the loss
        self.batch = batch
        self.lives: list[Life] = []
        self.heap = Heap()
        self.arrived: dict[SharedParameter, Gradient] = {}

    def forward(self) -> None:
        """Compute all results; one that is not kept is freed after its last reader."""
        for operation in self.operations:
            self.heap.moment = ("forward", operation.name)
            self.lives.append(self._run(operation))
            for source in operation.sources:
                self._read(source)

    def _read(self, source: TorchOperation) -> None:
        """Free a result after its last reader."""
        life = self.lives[source.index]
        life.waiting -= 1
        if not life.waiting:
            self.heap.release(life.result)

    def _run(self, operation: TorchOperation) -> Life:
        """Compute one result, in place if allowed; what the backward pass needs gets one more holder."""
        demand, heap = operation.demand(), self.heap
        if not operation.sources:
            images = heap.allocate(operation.made, "input")
            images.holders += 1  # the user's
            return Life(demand, images, operation.readers, is_writable=False)
        heap.spike(demand.forward_spike)
        first = self.lives[operation.sources[0].index]
        may_write = first.is_writable and operation.sources[0].readers == 1
        if demand.output == SAME or (may_write and operation.layer.overwrites):
            result = first.result
            result.holders += 1
        else:
            result = heap.allocate(operation.made, "activations")
        is_free = not (demand.is_view or demand.keeps_output) and (may_write or demand.output != SAME)
        life = Life(demand, result, operation.readers, is_free)
        if operation.learns:
            life.kept = self._keep(operation, demand, result)
        return life

    def _keep(self, operation: TorchOperation, demand: Demand, result: Storage) -> list[Storage]:
        kept = [self.lives[source.index].result for source in operation.sources] if demand.keeps_inputs else []
        if demand.keeps_output:
            kept.append(result)
        for storage in kept:
            storage.holders += 1
        if demand.keeps:
            kept.append(self.heap.allocate(demand.keeps, "activations"))
        return kept

    def losses(self) -> None:
        """Cross entropy: the log of the softmax is kept; two gradients of that size end at the scores."""
        heap = self.heap
        kept = [heap.allocate(end.made, "activations") for end in self.ends]
        for end, logarithms in zip(reversed(self.ends), reversed(kept), strict=True):
            heap.moment = ("loss", end.name)
            heap.release(self.lives[end.index].result)
            if end.learns:
                heap.spike(2 * end.made)
                self._accumulate(end, Gradient(heap.allocate(end.made, "gradients of maps")))
            heap.release(logarithms)

    def backward(self) -> None:
        """Run in exactly the reverse order, as autograd's engine does."""
        for operation in reversed(self.operations):
            if operation.learns:
                self.heap.moment = ("backward", operation.name)
                self._walk_back(operation)

    def _walk_back(self, operation: TorchOperation) -> None:
        """Gradients of inputs and parameters appear; then what arrived and what was kept are let go."""
        life, heap = self.lives[operation.index], self.heap
        arrived, demand = life.gradient, life.demand
        assert arrived is not None, f"no loss depends on {operation.name}"
        heap.spike(demand.backward_spike + (0 if arrived.is_dense else demand.scattered))
        learning = [source for source in operation.sources if source.learns]
        made = [self._gradient(source, demand.gradient, arrived) for source in learning]
        shared = self._gradients_of_parameters(operation)
        heap.release(arrived.storage)
        for storage in life.kept:
            heap.release(storage)
        for name, gradient in shared:
            self._add_up(name, gradient)
        for source, gradient in zip(learning, made, strict=True):
            self._accumulate(source, gradient)

    def _gradients_of_parameters(self, operation: TorchOperation) -> list[tuple[SharedParameter, Gradient]]:
        """Allocate them; return those of shared parameters."""
        made = [self.heap.allocate(size, "gradients of parameters") for size in operation.parameters]
        if not operation.shares:
            return []
        is_matrix = isinstance(operation.layer, FullyConnected)  # whose gradient is a view, of the transposed one
        return [
            (name, Gradient(storage, is_whole=not is_matrix or len(name[1]) == 1))
            for name, storage in zip(operation.shares, made, strict=True)
            if name is not None
        ]

    def _add_up(self, name: SharedParameter, gradient: Gradient) -> None:
        """Add the gradient of one more use of a parameter to the first, in place unless that is a view."""
        first = self.arrived.setdefault(name, gradient)
        if first is gradient:
            return
        if not first.is_whole:
            self.arrived[name] = Gradient(self.heap.allocate(gradient.storage.size, "gradients of parameters"))
            self.heap.release(first.storage)
        self.heap.release(gradient.storage)

    def _gradient(self, source: TorchOperation, flow: int, arrived: Gradient) -> Gradient:
        if flow == NEW:
            return Gradient(self.heap.allocate(source.made, "gradients of maps"))
        arrived.storage.holders += 1
        is_whole, is_dense = arrived.is_whole and flow != PART, arrived.is_dense and flow != TURNED
        # channels of a batch of one are a window without gaps
        return Gradient(arrived.storage, is_whole, is_dense and (flow != PART or self.batch == 1))

    def _accumulate(self, target: TorchOperation, gradient: Gradient) -> None:
        """Add to the first gradient, if that is whole and has no other holder; otherwise allocate a third storage."""
        life = self.lives[target.index]
        first = life.gradient
        if first is None:
            life.gradient = gradient
        elif first.is_whole and first.storage.holders == 1:
            self.heap.release(gradient.storage)
        else:
            life.gradient = Gradient(self.heap.allocate(target.made, "gradients of maps"))
            self.heap.release(first.storage)
            self.heap.release(gradient.storage)


def training_peak(graph: Graph, batch: int = 1, weight_decay: float = True) -> Peak:
    """The largest number of bytes alive in the second training step, auxiliary classifiers included.

    The step is zero_grad, forward, cross entropy of every loss, backward, and SGD with momentum, in float32 on
    the CPU. Only whether there is weight decay matters, not how much.
    """
    return peak_of(TrainingStep(graph, batch), graph, weight_decay)


def peak_of(step: TrainingStep, graph: Graph, weight_decay: float) -> Peak:
    """The largest number of bytes alive in a step."""
    heap = step.heap
    sizes = [size for operation in step.operations for size in operation.made_parameters]
    heap.allocate(sum(sizes), "parameters")
    heap.allocate(sum(sizes), "momentum")
    heap.allocate(sum(operation.statistics for operation in step.operations), "buffers")
    maps = {graph.nodes[loss.node].volume.spatial for loss in graph.training_results}
    heap.allocate(INDEX_BYTES * step.batch * sum(map(prod, maps)), "input")  # the labels
    step.forward()
    step.losses()
    step.backward()
    heap.moment = ("update", "")
    heap.spike(max(sizes, default=0) if weight_decay else 0)
    return heap.peak
