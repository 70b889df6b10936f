"""A network's stages as a table, and as data.

In: a graph and its stages. Out: the layers of each stage, its share of the work, its parameters, and what it passes on
per image; and the same for JSON, with all names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.analyses.partition import Stage
from archspec.graph.ir import Graph
from archspec.graph.volume import FLOAT_BYTES

HEADERS = ("stage", "first layer", "last layer", "work", "parameters", "passes on, per image")
RIGHT = (0, 3, 4)
GAP = "  "
LONGEST_NAME = 24
MEGA = 10**6


def stages_table(graph: Graph, stages: Sequence[Stage], width: int = 100) -> str:
    """Return the stages, one per line."""
    total = sum(stage.cost for stage in stages)
    cells = [_cells(graph, number, stage, total) for number, stage in enumerate(stages, 1)]
    sizes = [max(map(len, column)) for column in zip(HEADERS[:-1], *cells, strict=True)]
    room = width - sum(sizes) - len(GAP) * len(sizes)
    rows = [(*row, _passed_on(graph, stage, room)) for row, stage in zip(cells, stages, strict=True)]
    return "".join(_join(row, [*sizes, 0]) + "\n" for row in (HEADERS, *rows))


def stages_data(graph: Graph, stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Return the stages for JSON; `work` adds up to 1."""
    total = sum(stage.cost for stage in stages)
    return [
        {
            "first": _names(graph, stage)[0],
            "last": _names(graph, stage)[1],
            "layers": stage.end - stage.begin,
            "work": stage.cost / total,
            "params": stage.params,
            "bytes_passed_on": _bytes(graph, stage),
            "passes_on": [graph.nodes[index].name for index in stage.passes_on],
        }
        for stage in stages
    ]


def _names(graph: Graph, stage: Stage) -> tuple[str, str]:
    return graph.nodes[stage.begin].name, graph.nodes[stage.end - 1].name


def _bytes(graph: Graph, stage: Stage) -> int:
    return sum(FLOAT_BYTES * graph.nodes[index].volume.values for index in stage.passes_on)


def _cells(graph: Graph, number: int, stage: Stage, total: int) -> tuple[str, ...]:
    first, last = map(_shortened, _names(graph, stage))
    return str(number), first, last, f"{100 * stage.cost / total:.1f} %", f"{stage.params:,}"


def _shortened(name: str) -> str:
    """Return the end of a long name, which says more than its beginning."""
    return name if len(name) <= LONGEST_NAME else "…" + name[1 - LONGEST_NAME :]


def _passed_on(graph: Graph, stage: Stage, room: int) -> str:
    """Return how much is passed on, and the volumes if they fit."""
    if not stage.passes_on:
        return ""
    volumes = ", ".join(str(graph.nodes[index].volume) for index in stage.passes_on)
    size = f"{_bytes(graph, stage) / MEGA:.2f} MB: "
    return size + (volumes if len(size + volumes) <= room else f"{len(stage.passes_on)} values")


def _join(cells: Sequence[str], sizes: Sequence[int]) -> str:
    aligned = (
        cell.rjust(size) if place in RIGHT else cell.ljust(size)
        for place, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    )
    return GAP.join(aligned).rstrip()
