"""The peak memory of a training step, by liveness over the layer graph. No torch in here.

Comes in: the nodes in the order in which they run, the batch, and the weight decay. Goes out: the bytes
alive at the worst moment of the second step of SGD with momentum (zero_grad, forward, backward, update),
with that moment's name and what the bytes are. What each layer asks for is in `rules.py`; MODEL.md states
the model and how far it can be trusted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .demand import FLOAT, INDEX, Demand, Flow, Node, Site
from .rules import OVERWRITES, demand_of, returns_view

__all__ = ["Node", "Peak", "training_peak"]


@dataclass(frozen=True, slots=True)
class Peak:
    """The worst moment: `total` bytes are alive `at` it, and `parts` says what they are."""

    total: int
    at: str
    parts: dict[str, int]


@dataclass(slots=True)
class Storage:
    """Bytes that are freed when the last holder lets go."""

    size: int
    part: str
    holders: int = 1


@dataclass(slots=True)
class Heap:
    """What is alive, and the most that ever was."""

    alive: Counter[str] = field(default_factory=Counter)
    moment: str = "start"
    peak: Peak = Peak(0, "start", {})

    def allocate(self, size: int, part: str) -> Storage:
        self.alive[part] += size
        self.spike(0)
        return Storage(size, part)

    def spike(self, size: int) -> None:
        """Note that `size` more bytes are alive for an instant."""
        total = self.alive.total() + size
        if total > self.peak.total:
            self.peak = Peak(total, self.moment, dict(self.alive) | {"temporary": size})

    def release(self, storage: Storage) -> None:
        storage.holders -= 1
        if storage.holders == 0:
            self.alive[storage.part] -= storage.size


@dataclass(slots=True)
class Gradient:
    """What has arrived so far for one node's result; `whole` unless it is a window on a larger storage."""

    storage: Storage
    whole: bool


class Step:
    """One training step over a graph; autograd walks it back in exactly the reverse order."""

    def __init__(self, nodes: Sequence[Node], batch: int) -> None:
        self.nodes = nodes
        self.batch = batch
        self.heap = Heap()
        self.by_id = {node.id: node for node in nodes}
        self.readers = Counter(source for node in nodes for source in node.inputs)
        self.results: dict[str, Storage] = {}
        self.kept: dict[str, list[Storage]] = {}
        self.gradients: dict[str, Gradient] = {}
        self.learns = self._learning()
        self.channels_last = self._channels_last()
        self.demands = {node.id: demand_of(self._site(node)) for node in nodes if node.inputs}

    def _learning(self) -> set[str]:
        """Nodes whose result depends on a parameter: only these are part of the backward pass."""
        learns: set[str] = set()
        for node in self.nodes:
            if node.parameters or any(source in learns for source in node.inputs):
                learns.add(node.id)
        return learns

    def _site(self, node: Node) -> Site:
        continues = any(source in self.learns for source in node.inputs)
        inputs = tuple(self.by_id[source] for source in node.inputs)
        return Site(node, inputs, self.batch, continues, channels_last=node.inputs[0] in self.channels_last)

    def _channels_last(self) -> set[str]:
        """Maps that lie pixel by pixel in memory: a layer norm over the channels makes them so."""
        found: set[str] = set()
        for node in self.nodes:
            if (node.kind == "LN" and node.pixels) or any(source in found for source in node.inputs[:1]):
                found.add(node.id)
        return found

    def may_overwrite(self, node: Node) -> bool:
        """Whether this node may write into its first input's storage, by autograd's rules.

        Nobody else may read that value, now or in the backward pass: one reader, a producer that does not
        keep its result, along any chain of views; and not the user's own images.
        """
        source = self.by_id[node.inputs[0]]
        while source.inputs and self.readers[source.id] == 1:
            demand = self.demands[source.id]
            if demand.keeps_output or returns_view(source):
                return False
            if demand.output is not Flow.SAME:
                return True
            source = self.by_id[source.inputs[0]]
        return False

    def forward(self) -> None:
        waiting = Counter(self.readers)
        for node in self.nodes:
            self.heap.moment = f"forward of {node.id}"
            self.results[node.id] = self._run(node)
            for source in node.inputs:
                waiting[source] -= 1
                if waiting[source] == 0:
                    self.heap.release(self.results[source])

    def _run(self, node: Node) -> Storage:
        """The node's result; what its backward will need gets one more holder. The user holds the images."""
        if not node.inputs:
            images = self.heap.allocate(FLOAT * self.batch * node.values, "input")
            images.holders += 1
            return images
        demand = self.demands[node.id]
        self.heap.spike(demand.forward_spike)
        first = self.results[node.inputs[0]]
        if demand.output is Flow.SAME or (node.kind in OVERWRITES and self.may_overwrite(node)):
            first.holders += 1
            result = first
        else:
            result = self.heap.allocate(FLOAT * self.batch * node.values, "activations")
        if node.id in self.learns:
            self.kept[node.id] = self._keep(node, demand, result)
        return result

    def _keep(self, node: Node, demand: Demand, result: Storage) -> list[Storage]:
        kept = [self.results[source] for source in node.inputs] if demand.keeps_inputs else []
        kept += [result] if demand.keeps_output else []
        for storage in kept:
            storage.holders += 1
        if demand.keeps:
            kept.append(self.heap.allocate(demand.keeps, "activations"))
        return kept

    def losses(self) -> None:
        """Cross entropy: the log of the softmax is kept; two gradients of that size end at the scores."""
        heads = [node for node in self.nodes if self.readers[node.id] == 0]
        kept = [self.heap.allocate(FLOAT * self.batch * head.values, "activations") for head in heads]
        for head, scores in zip(reversed(heads), reversed(kept), strict=True):
            self.heap.moment = f"loss of {head.id}"
            self.heap.release(self.results[head.id])
            self.heap.spike(2 * scores.size)
            gradient = self.heap.allocate(scores.size, "gradients of maps")
            self.gradients[head.id] = Gradient(gradient, whole=True)
            self.heap.release(scores)

    def backward(self) -> None:
        for node in reversed(self.nodes):
            if node.id in self.learns:
                self.heap.moment = f"backward of {node.id}"
                self._walk_back(node)

    def _walk_back(self, node: Node) -> None:
        """Gradients of inputs and parameters appear; then what arrived and what was kept are let go."""
        demand = self.demands[node.id]
        arrived = self.gradients.pop(node.id).storage
        self.heap.spike(demand.backward_spike)
        learning = [source for source in node.inputs if source in self.learns]
        made = [self._gradient(self.by_id[source], demand.gradient, arrived) for source in learning]
        for size in node.parameters:
            self.heap.allocate(FLOAT * size, "gradients of parameters")
        for storage in (arrived, *self.kept.pop(node.id)):
            self.heap.release(storage)
        for source, gradient in zip(learning, made, strict=True):
            self._accumulate(source, gradient)

    def _gradient(self, source: Node, flow: Flow, arrived: Storage) -> Gradient:
        if flow is Flow.NEW:
            storage = self.heap.allocate(FLOAT * self.batch * source.values, "gradients of maps")
            return Gradient(storage, whole=True)
        arrived.holders += 1
        return Gradient(arrived, whole=flow is Flow.SAME)

    def _accumulate(self, target: str, gradient: Gradient) -> None:
        """Into what came first, if that is whole and nobody else holds it; otherwise into a third storage."""
        first = self.gradients.get(target)
        if first is None:
            self.gradients[target] = gradient
        elif first.whole and first.storage.holders == 1:
            self.heap.release(gradient.storage)
        else:
            size = FLOAT * self.batch * self.by_id[target].values
            self.gradients[target] = Gradient(self.heap.allocate(size, "gradients of maps"), whole=True)
            self.heap.release(first.storage)
            self.heap.release(gradient.storage)


def _buffers(nodes: Iterable[Node]) -> int:
    """Running mean and variance of batch normalisations, and their int64 counters."""
    return sum(2 * FLOAT * node.channels + INDEX for node in nodes if node.kind == "BN")


def training_peak(nodes: Sequence[Node], batch: int, weight_decay: float = 0.0) -> Peak:
    """Largest number of bytes alive in the second step; `nodes` in the order in which they run.

    Every node that nobody reads is a head with a cross-entropy loss of its own.
    """
    sizes = [FLOAT * size for node in nodes for size in node.parameters]
    step = Step(nodes, batch)
    heap = step.heap
    heap.allocate(sum(sizes), "parameters")
    heap.allocate(sum(sizes), "momentum")
    heap.allocate(_buffers(nodes), "buffers")
    heap.allocate(INDEX * batch, "input")
    step.forward()
    step.losses()
    step.backward()
    heap.moment = "update"
    heap.spike(max(sizes, default=0) if weight_decay else 0)
    return heap.peak
