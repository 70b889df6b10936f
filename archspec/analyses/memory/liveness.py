"""The peak memory of a training step, by liveness over a graph. No torch in here.

In: a graph, the batch, and whether there is weight decay. Out: the bytes alive at the worst moment of the second step
of SGD with momentum (zero_grad, forward, backward, update), with that moment's name and what the bytes are. What each
layer asks for is in `rules.py`; MODEL.md states the model and how far it can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from archspec.analyses.memory.demand import FLOAT, INDEX, NEW, PART, SAME, Demand, Operation, Site
from archspec.analyses.memory.operations import operations
from archspec.analyses.memory.rules import OVERWRITES, demand_of
from archspec.ir import Graph
from archspec.layers.norm import BatchNorm, LayerNorm
from archspec.record import Record

PARTS = (
    "parameters", "momentum", "buffers", "input", "activations", "gradients of maps", "gradients of parameters",
)  # fmt: skip
PARAMETERS, MOMENTUM, BUFFERS, INPUT, ACTIVATIONS, MAP_GRADIENTS, PARAMETER_GRADIENTS = range(len(PARTS))


class Peak(Record):
    """The worst moment: `total` bytes are alive `at` it, and `parts` says what they are."""

    total: int
    at: str
    parts: dict[str, int]


class Storage:
    """Bytes that are freed when the last holder lets go."""

    __slots__ = ("holders", "part", "size")

    def __init__(self, size: int, part: int) -> None:
        self.size = size
        self.part = part
        self.holders = 1


class Heap:
    """What is alive, and the most that ever was. `moment` is a phase and the name of a layer, or nothing."""

    def __init__(self) -> None:
        self.alive = [0] * len(PARTS)
        self.total = 0
        self.moment = ("start", "")
        self.worst = (0, ("start", ""), tuple(self.alive), 0)

    def allocate(self, size: int, part: int) -> Storage:
        self.alive[part] += size
        self.total += size
        self.spike(0)
        return Storage(size, part)

    def spike(self, size: int) -> None:
        """Note that `size` more bytes are alive for an instant."""
        if self.total + size > self.worst[0]:
            self.worst = (self.total + size, self.moment, tuple(self.alive), size)

    def release(self, storage: Storage) -> None:
        storage.holders -= 1
        if storage.holders == 0:
            self.alive[storage.part] -= storage.size
            self.total -= storage.size

    @property
    def peak(self) -> Peak:
        """The worst moment so far."""
        total, moment, alive, temporary = self.worst
        parts = dict(zip(PARTS, alive, strict=True)) | {"temporary": temporary}
        return Peak(total, " of ".join(filter(None, moment)), parts)


class Gradient:
    """What has arrived so far for one result; `is_whole` unless it is a window on a larger storage."""

    __slots__ = ("is_whole", "storage")

    def __init__(self, storage: Storage, is_whole: bool) -> None:
        self.storage = storage
        self.is_whole = is_whole


class Step:
    """One training step. For each operation its result, what it keeps, and what is known of both."""

    def __init__(self, graph: Graph, batch: int) -> None:
        self.operations, self.ends = operations(graph)
        self.batch = batch
        self.heap = Heap()
        self.readers = [0] * len(self.operations)  # the loss reads the ends
        for source in (*self.ends, *(source for operation in self.operations for source in operation.inputs)):
            self.readers[source] += 1
        self.learns: list[bool] = []  # whether a result depends on a parameter: only then it has a gradient
        self.is_writable: list[bool] = []  # whether autograd lets its reader write into a result
        self.channels_last: list[bool] = []  # whether it lies pixel by pixel: an LN over a map's channels makes it so
        self.results: list[Storage] = []
        self.demands: list[Demand] = []
        self.kept: list[list[Storage]] = []
        self.gradients: list[Gradient | None] = [None] * len(self.operations)

    def forward(self) -> None:
        waiting = list(self.readers)
        for operation in self.operations:
            self.heap.moment = ("forward", operation.name)
            self._run(operation)
            for source in operation.inputs:
                waiting[source] -= 1
                if not waiting[source]:
                    self.heap.release(self.results[source])

    def _run(self, operation: Operation) -> None:
        """Make the result; what the backward pass will need gets one more holder."""
        if not operation.inputs:
            self._enter(operation)
            return
        first = operation.inputs[0]
        continues = any([self.learns[source] for source in operation.inputs])
        demand = demand_of(Site(operation, self.batch, continues, self.channels_last[first]))
        self.heap.spike(demand.forward_spike)
        is_lone = self.readers[first] == 1 and self.is_writable[first]
        if demand.output == SAME or (is_lone and type(operation.layer) in OVERWRITES):
            result = self.results[first]
            result.holders += 1
        else:
            result = self.heap.allocate(FLOAT * self.batch * prod(operation.volume), ACTIVATIONS)
        learns = continues or bool(operation.shapes)
        self.learns.append(learns)
        self.is_writable.append(not (demand.is_view or demand.keeps_output) and (demand.output != SAME or is_lone))
        self.channels_last.append(
            self.channels_last[first] or (type(operation.layer) is LayerNorm and operation.volume.is_map)
        )
        self.results.append(result)
        self.demands.append(demand)
        self.kept.append(self._keep(operation, demand, result) if learns else [])

    def _enter(self, operation: Operation) -> None:
        """The images: the user holds them."""
        images = self.heap.allocate(FLOAT * self.batch * prod(operation.volume), INPUT)
        images.holders += 1
        self.learns.append(False)
        self.is_writable.append(False)
        self.channels_last.append(False)
        self.results.append(images)
        self.demands.append(Demand())
        self.kept.append([])

    def _keep(self, operation: Operation, demand: Demand, result: Storage) -> list[Storage]:
        kept = [self.results[source] for source in operation.inputs] if demand.keeps_inputs else []
        if demand.keeps_output:
            kept.append(result)
        for storage in kept:
            storage.holders += 1
        if demand.keeps:
            kept.append(self.heap.allocate(demand.keeps, ACTIVATIONS))
        return kept

    def losses(self) -> None:
        """Cross entropy: the log of the softmax is kept; two gradients of that size end at the scores."""
        sizes = [FLOAT * self.batch * prod(self.operations[end].volume) for end in self.ends]
        kept = [self.heap.allocate(size, ACTIVATIONS) for size in sizes]
        for end, scores in zip(reversed(self.ends), reversed(kept), strict=True):
            self.heap.moment = ("loss", self.operations[end].name)
            self.heap.release(self.results[end])
            if self.learns[end]:
                self.heap.spike(2 * scores.size)
                self._accumulate(end, Gradient(self.heap.allocate(scores.size, MAP_GRADIENTS), is_whole=True))
            self.heap.release(scores)

    def backward(self) -> None:
        """In exactly the reverse order, as autograd's engine does."""
        for index in range(len(self.operations) - 1, -1, -1):
            gradient = self.gradients[index]
            if gradient is not None:
                self.heap.moment = ("backward", self.operations[index].name)
                self._walk_back(index, gradient)

    def _walk_back(self, index: int, arrived: Gradient) -> None:
        """Gradients of inputs and parameters appear; then what arrived and what was kept are let go."""
        operation, demand, heap = self.operations[index], self.demands[index], self.heap
        heap.spike(demand.backward_spike + (0 if arrived.is_whole else demand.scattered))
        learning = [source for source in operation.inputs if self.learns[source]]
        made = [self._gradient(source, demand.gradient, arrived) for source in learning]
        for shape in operation.shapes:
            heap.allocate(FLOAT * prod(shape), PARAMETER_GRADIENTS)
        heap.release(arrived.storage)
        for storage in self.kept[index]:
            heap.release(storage)
        for source, gradient in zip(learning, made, strict=True):
            self._accumulate(source, gradient)

    def _gradient(self, source: int, flow: int, arrived: Gradient) -> Gradient:
        if flow == NEW:
            size = FLOAT * self.batch * prod(self.operations[source].volume)
            return Gradient(self.heap.allocate(size, MAP_GRADIENTS), is_whole=True)
        arrived.storage.holders += 1
        return Gradient(arrived.storage, arrived.is_whole and flow != PART)

    def _accumulate(self, target: int, gradient: Gradient) -> None:
        """Into what came first, if that is whole and nobody else holds it; otherwise into a third storage."""
        first = self.gradients[target]
        if first is None:
            self.gradients[target] = gradient
        elif first.is_whole and first.storage.holders == 1:
            self.heap.release(gradient.storage)
        else:
            size = FLOAT * self.batch * prod(self.operations[target].volume)
            self.gradients[target] = Gradient(self.heap.allocate(size, MAP_GRADIENTS), is_whole=True)
            self.heap.release(first.storage)
            self.heap.release(gradient.storage)


def _buffers(operations: Iterable[Operation]) -> int:
    """Running mean and variance of batch normalisations, and their int64 counters."""
    normalised = [operation.volume.channels for operation in operations if type(operation.layer) is BatchNorm]
    return sum(2 * FLOAT * channels + INDEX for channels in normalised)


def training_peak(graph: Graph, batch: int = 1, weight_decay: float = True) -> Peak:
    """The largest number of bytes alive in the second training step, auxiliary classifiers included.

    The step is zero_grad, forward, cross entropy of every classifier, backward, and SGD with momentum, in float32 on
    the CPU. Of `weight_decay` it matters only whether there is any.
    """
    step = Step(graph, batch)
    heap = step.heap
    sizes = [FLOAT * prod(shape) for operation in step.operations for shape in operation.shapes]
    heap.allocate(sum(sizes), PARAMETERS)
    heap.allocate(sum(sizes), MOMENTUM)
    heap.allocate(_buffers(step.operations), BUFFERS)
    heap.allocate(INDEX * batch * prod(graph.nodes[graph.output].volume.spatial), INPUT)  # the labels
    step.forward()
    step.losses()
    step.backward()
    heap.moment = ("update", "")
    heap.spike(max(sizes, default=0) if weight_decay else 0)
    return heap.peak
