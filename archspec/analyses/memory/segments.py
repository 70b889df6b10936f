"""Where to cut a network for activation checkpointing (Chen et al. 2016): between blocks, where few values live.

In: a graph, the batch. Out: `Segment`s, runs of layers. A training step keeps only what enters a segment and computes
the rest of it again in the backward pass; the last segment, whose backward pass follows at once, keeps everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import isqrt

from archspec.analyses.memory.liveness import peak_of
from archspec.analyses.memory.recomputation import CheckpointedStep
from archspec.analyses.partition import last_readers, results_of
from archspec.graph.ir import Graph, Node
from archspec.record import Record

MOST_VALUES = (1, 2, 4)  # at a cut: a cell of NASNet reads two, a U-Net's levels are joined by more
COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # of about equally large segments, of which the best is taken


class Segment(Record):
    """The layers from `begin` up to, not including, `end`; they read `given`, and later ones `passes_on`."""

    begin: int
    end: int
    given: tuple[int, ...]
    passes_on: tuple[int, ...]

    def nodes(self, graph: Graph) -> Sequence[Node]:
        """Return its layers that are used in training."""
        return [node for node in graph.trained if self.begin <= node.index < self.end]


@lru_cache(maxsize=32)
def best_cuts(graph: Graph, batch: int) -> tuple[int, ...]:
    """Return where to cut so that a step of `batch` images has the least predicted peak, and of equal ones the one that
    keeps least at the end of the forward pass; nowhere if no cut helps.

    Segments end at a place where keeping on would exceed a budget of values (Chen et al. 2016, algorithm 3); the
    budgets are those of `COUNTS` segments, and one that ends a segment at every place.
    """
    found = next((found for most in MOST_VALUES if len(found := places(graph, most)) >= isqrt(len(graph.nodes))), [])
    before = [0, *accumulate(_kept(node) for node in graph.nodes)]
    budgets = [*(before[-1] // count for count in COUNTS), 0]
    tried = dict.fromkeys([(), *(_cuts(found, before, budget) for budget in budgets)])
    return min(tried, key=lambda cuts: _needs(graph, batch, cuts))


def _needs(graph: Graph, batch: int, cuts: Sequence[int]) -> tuple[int, int]:
    step = CheckpointedStep(graph, batch, cuts)
    return peak_of(step, graph, weight_decay=True).total, step.kept


def segments(graph: Graph, cuts: Sequence[int]) -> tuple[Segment, ...]:
    """Return the segments between some cuts, but for those without a layer that training runs."""
    found = (_segment(graph, begin, end) for begin, end in pairwise((0, *cuts, len(graph.nodes))))
    return tuple(one for one in found if any(node.inputs for node in one.nodes(graph)))


def places(graph: Graph, most: int = 1) -> list[int]:
    """Return the places between layers where at most so many values live, apart from scores of auxiliary classifiers.

    Place n is before node n. Before a layer that could overwrite the value there is no cut, which would forbid that.
    """
    changes = [0] * (len(graph.nodes) + 1)
    for node, last in zip(graph.nodes, last_readers(graph), strict=True):
        changes[node.index + 1 if node.inputs else 1] += 1
        changes[last + 1] -= 1
    alive = list(accumulate(changes))
    return [at for at in range(2, len(graph.nodes)) if alive[at] <= most and not graph.nodes[at].layer.overwrites]


def _kept(node: Node) -> int:
    return 0 if node.layer.in_place else node.volume.values


def _cuts(found: Iterable[int], before: Sequence[int], budget: int) -> tuple[int, ...]:
    """Return as few places as keep segments within a budget of values, as far as places allow."""
    cuts = [0]
    last = 0
    for place in found:
        if before[place] - before[cuts[-1]] > budget and last > cuts[-1]:
            cuts.append(last)
        last = place
    if last > cuts[-1] and before[-1] - before[cuts[-1]] > budget:
        cuts.append(last)
    return tuple(cuts[1:])


def _segment(graph: Graph, begin: int, end: int) -> Segment:
    own = range(begin, end)
    results, last = results_of(graph), last_readers(graph)
    inputs = {index for node in Segment(begin, end, (), ()).nodes(graph) for index in node.inputs}
    given = [index for index in inputs if index not in own or not graph.nodes[index].inputs]
    computed = (index for index in own if graph.nodes[index].inputs)
    passed = [index for index in computed if index in results or last[index] >= end]
    return Segment(begin, end, tuple(sorted(given)), tuple(passed))
