"""A network whose training step recomputes its segments instead of keeping their results.

In: a network's module, its graph, the batch. Out: the same module; its forward pass in training runs each segment but
the last one through `recomputed`. Where to cut is decided in `archspec/analyses/memory/segments.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.analyses.memory.segments import Segment, best_cuts, segments
from archspec.analyses.partition import results_of
from archspec.compiler.lowering.lower import Lowered, code, statements
from archspec.compiler.lowering.sharing import attribute, computing
from archspec.graph.ir import Graph


def checkpoint_segments(module: Lowered, graph: Graph, batch: int) -> None:
    """Let the module recompute segments in training, those for steps of `batch` images."""
    module.train_with(checkpointed_code(graph, best_cuts(graph, batch)))


def checkpointed_code(graph: Graph, cuts: Sequence[int]) -> str:
    """The text of a forward pass in training: a function for each segment but the last, and `forward`."""
    *first, last = segments(graph, cuts)
    functions = [
        code(graph, one.nodes(graph), one.given, one.passes_on, name=f"segment{number}")
        for number, one in enumerate(first, 1)
    ]
    results = results_of(graph)
    alive = {source.index for source in graph.sources}
    lines = [f"def forward(self, {_values(sorted(alive))}):"]
    for number, one in enumerate(first, 1):
        lines.append(f"    {_values(one.passes_on)} = {_call(graph, number, one)}")
        alive |= set(one.passes_on)
        needed = {index for later in (*first[number:], last) for index in later.given} | set(results)
        if dead := sorted(alive - needed):
            lines.append(f"    del {_values(dead)}")
            alive -= set(dead)
    lines += statements(graph, last.nodes(graph), last.given, results)
    return "\n".join([*functions, *lines]) + "\n"


def _call(graph: Graph, number: int, segment: Segment) -> str:
    nodes = segment.nodes(graph)
    names = dict.fromkeys(computing(graph, node) for node in nodes if node.layer.has_statistics)
    normalisations = "".join(f"{attribute(name)}, " for name in names)
    draws = any(node.layer.is_identity for node in nodes)  # dropout: in inference it is
    return f"recomputed(segment{number}, self, ({normalisations}), {draws}, {_values(segment.given)})"


def _values(indices: Sequence[int]) -> str:
    return ", ".join(f"v{index}" for index in indices)
