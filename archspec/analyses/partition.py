"""A network cut into stages of similar cost, one per process of a pipeline.

In: a graph and a number of stages. Out: the stages, which are runs of layers in the graph's order, and the values that
cross each cut. The costliest stage is within 1 % of the least possible; among such cuts, the fewest bytes cross.

The cost of a layer is its multiply-accumulates in a forward pass (a backward pass takes about twice as long for all
layers) or, for layers bound by memory, the values that they read and write, each worth `MACS_PER_VALUE`. On a CPU core,
2 (RELU) to 57 (BN in training) multiply-accumulates of a 3x3 CONV were measured per value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from math import inf

from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural
from archspec.graph.ir import Graph, Node
from archspec.graph.volume import FLOAT_BYTES
from archspec.record import Record

MACS_PER_VALUE = 16
SLACK = 100  # a stage may cost up to 1/100 more than necessary if fewer bytes cross then


class Stage(Record):
    """The layers from `begin` up to, not including, `end`; later stages need the values `passes_on`."""

    begin: int
    end: int
    cost: int
    params: int
    passes_on: tuple[int, ...]


def cut(graph: Graph, count: int) -> tuple[Stage, ...]:
    """Cut a graph into `count` stages, each with weights that are trained; layers that share weights are in one.

    Raises ArchspecError for fewer places to cut.
    """
    learning = {node.index for node in graph.trained}
    weighted = [node.index for node in graph.nodes if node.index in learning and graph.tensors(node)]
    places = _places(graph)
    runs = sorted({bisect_right(places, index) - 1 for index in weighted})  # between two places, those with weights
    if count > len(runs):
        raise _too_many(count, len(weighted), len(runs), graph)
    costs = [node_cost(graph, node) for node in graph.nodes]
    before, crossed = [0, *accumulate(costs)], crossing_bytes(graph)
    own = [before[end] - before[begin] for begin, end in pairwise(places)]
    ends = [places[end] for end in cuts(own, runs, [crossed[place] for place in places], count)]
    return tuple(_stage(graph, costs, begin, end) for begin, end in pairwise(ends))


def _places(graph: Graph) -> list[int]:
    """Return where a stage may begin or end: not between two users of the same weights."""
    changes = [0] * (len(graph.nodes) + 2)
    for node in graph.nodes:
        if node.weights is not None:
            first, last = sorted((node.index, graph.maker(node).index))
            changes[first + 1] += 1
            changes[last + 1] -= 1
    return [place for place, within in enumerate(accumulate(changes[: len(graph.nodes) + 1])) if not within]


def _too_many(count: int, layers: int, runs: int, graph: Graph) -> ArchspecError:
    helps = (f"use at most {plural(runs, 'process')}",)
    if runs == layers:
        message = f"{count:,} stages require as many layers with weights, the network has {layers:,}"
        return failure("E470", message, helps=helps)
    shared = next(node for node in graph.nodes if graph.maker(node) is not node)
    users = f"{graph.maker(shared).name} and {shared.name}"
    notes = (f"layers that share weights are in one stage, with all between them: {users}, for example",)
    message = f"{count:,} stages require as many places with weights to cut, the network has {runs:,}"
    return failure("E470", message, notes=notes, helps=helps)


def cuts(costs: Sequence[int], weighted: Sequence[int], crossed: Sequence[int], count: int) -> list[int]:
    """Return where stages begin and end, from 0 to the number of nodes.

    Args:
        costs: The cost of each node.
        weighted: The nodes with weights.
        crossed: The bytes that cross each place; place 0 is before the first node.
        count: The number of stages.
    """
    before = [0, *accumulate(costs)]
    low, high = max(costs), before[-1]
    while low < high:
        middle = (low + high) // 2
        if _fewest(_reach(before, weighted, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    return _lightest(_reach(before, weighted, low + low // SLACK), crossed, count)


def node_cost(graph: Graph, node: Node) -> int:
    """Return the cost of a layer in a forward pass of one image, in multiply-accumulates."""
    if not node.inputs or node.layer.is_view:
        return 0
    inputs = graph.inputs(node)
    layer = node.layer
    macs = layer.macs(inputs, node.volume) + layer.attention_macs(inputs, node.volume)
    moved = node.volume.values + layer.scratch(inputs) + sum(volume.values for volume in inputs)
    return max(macs, MACS_PER_VALUE * moved)


def crossing(nodes: Sequence[Node], results: Sequence[int], at: int) -> tuple[int, ...]:
    """Return the values known before a place that are results or inputs of nodes after it. Inputs of the network are
    known before its first layer."""
    known = {node.index for node in nodes if node.index < at or not node.inputs}
    found = {index for node in nodes if node.index >= at for index in node.inputs if index in known}
    return tuple(sorted(found | {index for index in results if index < at}))


def crossing_bytes(graph: Graph) -> list[int]:
    """Return the bytes that cross each place between two nodes; the first and last places are the ends."""
    changes = [0] * (len(graph.nodes) + 1)
    results = set(results_of(graph))
    for node, reader in zip(graph.nodes, last_readers(graph), strict=True):
        last = len(graph.nodes) - 1 if node.index in results else reader
        changes[node.index + 1 if node.inputs else 1] += FLOAT_BYTES * node.volume.values
        changes[last + 1] -= FLOAT_BYTES * node.volume.values
    return list(accumulate(changes))


def last_readers(graph: Graph) -> list[int]:
    """Return for each node the last one that reads it in training; itself if none does."""
    found = list(range(len(graph.nodes)))
    for node in graph.trained:
        for index in node.inputs:
            found[index] = node.index
    return found


def results_of(graph: Graph) -> tuple[int, ...]:
    """Return the results in a training step's loss, in the order of the losses."""
    return tuple(loss.node for loss in graph.training_results)


def _stage(graph: Graph, costs: Sequence[int], begin: int, end: int) -> Stage:
    nodes = graph.nodes[begin:end]
    params = sum(tensor.size for node in nodes for tensor in graph.tensors(node))
    is_last = end == len(graph.nodes)
    passes_on = () if is_last else crossing(graph.nodes, results_of(graph), end)
    return Stage(begin, end, sum(costs[begin:end]), params, passes_on)


def _reach(before: Sequence[int], weighted: Sequence[int], bound: int) -> list[tuple[int, int]]:
    """Return for each end the first and last place where a stage may begin: within the bound, and with weights."""
    found = []
    for end, cost in enumerate(before):
        place = bisect_left(weighted, end)
        found.append((bisect_left(before, cost - bound), weighted[place - 1] if place else -1))
    return found


def _fewest(reach: Sequence[tuple[int, int]]) -> float:
    """Return the fewest stages within a bound. If they are fewer than required, some can be cut again."""
    fewest = [0.0]
    for begin in _begins(fewest, reach[1:]):
        fewest.append(inf if begin is None else fewest[begin] + 1)
    return fewest[-1]


def _lightest(reach: Sequence[tuple[int, int]], crossed: Sequence[int], count: int) -> list[int]:
    """Return the cuts that the fewest bytes cross."""
    least = [0.0] + [inf] * (len(reach) - 1)
    choices = []
    for _ in range(count):
        begins = list(_begins(least, reach))
        least = [inf if begin is None else least[begin] + crossed[end] for end, begin in enumerate(begins)]
        choices.append(begins)
    places = [len(reach) - 1]
    for begins in reversed(choices):
        begin = begins[places[-1]]
        assert begin is not None  # the bound is known to allow this many stages
        places.append(begin)
    return places[::-1]


def _begins(values: Sequence[float], reach: Iterable[tuple[int, int]]) -> Iterator[int | None]:
    """Yield for each window of places the last one with the least value, or None for an empty window.

    Windows only move to the right. Values may be appended before a window reaches them.
    """
    best: deque[int] = deque()  # places whose value is less than that of each later place
    place = 0
    for first, last in reach:
        while place <= last:
            while best and values[best[-1]] >= values[place]:
                best.pop()
            best.append(place)
            place += 1
        while best and best[0] < first:
            best.popleft()
        yield best[0] if best else None
