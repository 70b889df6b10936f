"""A network cut into stages, each for a machine of its own, so that none waits long for another.

In: a graph and a number of stages. Out: the stages, runs of layers in the graph's order, and the values that cross each
cut. The costliest stage is as cheap as any cut makes it, within 1 %; among such cuts, the one that fewest bytes cross.

The cost of a layer is its multiply-accumulates in a forward pass (a backward pass costs about twice that everywhere),
or, for layers that wait for memory, the values that they read and write, each worth `MACS_A_VALUE`. A core of a CPU was
measured at 2 (RELU) to 57 (BN while training) of a 3x3 CONV's multiply-accumulates a value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from math import inf

from archspec.diagnostics.errors import failure
from archspec.graph.ir import Graph, Node
from archspec.graph.volume import FLOAT_BYTES
from archspec.record import Record

MACS_A_VALUE = 16
SLACK = 100  # a stage may cost a hundredth more than it must, where fewer bytes then cross


class Stage(Record):
    """The layers from `begin` up to `end`, without it; `passes_on` are the values that the stages behind it need."""

    begin: int
    end: int
    cost: int
    params: int
    passes_on: tuple[int, ...]


def cut(graph: Graph, count: int) -> tuple[Stage, ...]:
    """The graph in so many stages, each with weights. Raises ArchspecError where it has too few layers with weights."""
    weighted = [node.index for node in graph.nodes if graph.tensors(node)]
    if count > len(weighted):
        message = f"{count:,} stages, and {len(weighted):,} layers with weights: every stage needs one"
        raise failure("E470", message, helps=(f"at most {len(weighted):,} processes",))
    costs = [node_cost(graph, node) for node in graph.nodes]
    ends = cuts(costs, weighted, crossing_bytes(graph), count)
    return tuple(_stage(graph, costs, begin, end) for begin, end in pairwise(ends))


def cuts(costs: Sequence[int], weighted: Sequence[int], crossed: Sequence[int], count: int) -> list[int]:
    """Where stages begin and end, from 0 to the number of nodes.

    Of each node the cost; which nodes have weights; the bytes that cross each place, the border before the first at 0.
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
    """What a layer takes of a forward pass, in multiply-accumulates for one image."""
    if not node.inputs or node.layer.is_view:
        return 0
    inputs = graph.inputs(node)
    layer = node.layer
    macs = layer.macs(inputs, node.volume) + layer.attention_macs(inputs, node.volume)
    moved = node.volume.values + layer.scratch(inputs) + sum(volume.values for volume in inputs)
    return max(macs, MACS_A_VALUE * moved)


def crossing(nodes: Sequence[Node], results: Sequence[int], at: int) -> tuple[int, ...]:
    """The values made before a place that some of the nodes behind it read, or that are results."""
    found = {index for node in nodes if node.index >= at for index in node.inputs if index < at}
    return tuple(sorted(found | {index for index in results if index < at}))


def crossing_bytes(graph: Graph) -> list[int]:
    """For each place between two nodes, the bytes that cross it; the first and the last are the borders."""
    changes = [0] * (len(graph.nodes) + 1)
    results = set(results_of(graph))
    for node in graph.nodes:
        last = len(graph.nodes) - 1 if node.index in results else max(graph.consumers[node.index], default=node.index)
        changes[node.index + 1] += FLOAT_BYTES * node.volume.values
        changes[last + 1] -= FLOAT_BYTES * node.volume.values
    return list(accumulate(changes))


def results_of(graph: Graph) -> tuple[int, ...]:
    """What a training step's loss is made of: the output, then those of the auxiliary classifiers."""
    return (graph.output, *(head.output for head in graph.heads))


def _stage(graph: Graph, costs: Sequence[int], begin: int, end: int) -> Stage:
    nodes = graph.nodes[begin:end]
    params = sum(tensor.size for node in nodes for tensor in graph.tensors(node))
    is_last = end == len(graph.nodes)
    passes_on = () if is_last else crossing(graph.nodes, results_of(graph), end)
    return Stage(begin, end, sum(costs[begin:end]), params, passes_on)


def _reach(before: Sequence[int], weighted: Sequence[int], bound: int) -> list[tuple[int, int]]:
    """For each end, the first and the last place where a stage may begin: within the bound, and with weights."""
    found = []
    for end, cost in enumerate(before):
        place = bisect_left(weighted, end)
        found.append((bisect_left(before, cost - bound), weighted[place - 1] if place else -1))
    return found


def _fewest(reach: Sequence[tuple[int, int]]) -> float:
    """The fewest stages within a bound. Where they are fewer than asked for, some of them can be cut again."""
    fewest = [0.0]
    for begin in _begins(fewest, reach[1:]):
        fewest.append(inf if begin is None else fewest[begin] + 1)
    return fewest[-1]


def _lightest(reach: Sequence[tuple[int, int]], crossed: Sequence[int], count: int) -> list[int]:
    """The places of the cuts that the fewest bytes cross."""
    least = [0.0] + [inf] * (len(reach) - 1)
    choices = []
    for _ in range(count):
        begins = list(_begins(least, reach))
        least = [inf if begin is None else least[begin] + crossed[end] for end, begin in enumerate(begins)]
        choices.append(begins)
    places = [len(reach) - 1]
    for begins in reversed(choices):
        begin = begins[places[-1]]
        assert begin is not None  # the bound has been shown to allow so many stages
        places.append(begin)
    return places[::-1]


def _begins(values: Sequence[float], reach: Iterable[tuple[int, int]]) -> Iterator[int | None]:
    """For each window of places, the one with the least value, the latest among equals; nothing for an empty one.

    Windows move to the right only. Values may be added meanwhile, before a window reaches them.
    """
    best: deque[int] = deque()  # places whose value is less than that of each place behind them
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
