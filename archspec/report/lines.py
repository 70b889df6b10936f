"""Which lines a table has: one a layer, or one for a whole block.

In: a network, and how many levels of blocks are opened. Out: `Line` records in the order of the graph, auxiliary
classifiers last. An opened block has a line of its own with no figures, and its layers stand under it; a closed one
shows the sums of what is in it, and the volume and the receptive field of its last layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archspec.analyses import Row, add_up
from archspec.graph.ir import Frame, Graph, Node
from archspec.graph.volume import Volume
from archspec.record import Record, replace

if TYPE_CHECKING:
    from archspec.api import Network

MOST_LINES = 40  # of a table that nobody asked to open further
INDENT = "  "


class Figures(Record):
    """What a layer or a closed block costs. `activations` is 0 for what is done in place; `formula` has no biases."""

    output: Volume
    activations: int
    params: int
    biases: int
    formula: str
    macs: int
    receptive_field: tuple[int, int]


class Line(Record):
    """One line of the table; without figures it is the head of the lines under it; a block with figures is closed."""

    name: str
    layer: str
    figures: Figures | None
    is_block: bool = False


def fold(network: Network, depth: int | None) -> tuple[list[Line], int]:
    """The lines at a depth, and how many blocks are closed in them.

    Depth 0 is the top level. Without one it is the deepest that leaves the table readable.
    """
    graph = network.graph
    trunk = network.layers
    paths = [_outermost_first(row.node.frame) for row in trunk]
    deepest = max(map(len, paths))
    if depth is None:
        fitting = (level for level in range(deepest, 0, -1) if _count(paths, level) <= MOST_LINES)
        depth = next(fitting, 0)
    lines = [*_lines(graph, trunk, paths, depth)]
    for head in graph.heads:
        rows = [row for row in network.analysis.rows if row.node.head == head.number]
        lines.append(Line(f"aux {head.weight:g}", "in training only", None))
        lines += _lines(graph, rows, [_outermost_first(row.node.frame) for row in rows], depth)
    return lines, sum(line.is_block for line in lines)


def _outermost_first(frame: Frame | None) -> tuple[Frame, ...]:
    path: list[Frame] = []
    while frame is not None:
        path.append(frame)
        frame = frame.parent
    return tuple(reversed(path))


def _count(paths: Sequence[tuple[Frame, ...]], depth: int) -> int:
    """How many lines there are at a depth."""
    count = 0
    before: tuple[Frame, ...] = ()
    for path in paths:
        count += _opened(before[: depth + 1], path[: depth + 1]) + (len(path) <= depth)
        before = path
    return count


def _opened(before: tuple[Frame, ...], path: tuple[Frame, ...]) -> int:
    """How many blocks of `path` are not those of the line before."""
    same = 0
    for one, other in zip(before, path, strict=False):
        if one is not other:
            break
        same += 1
    return len(path) - same


def _lines(graph: Graph, rows: Sequence[Row], paths: Sequence[tuple[Frame, ...]], depth: int) -> Iterator[Line]:
    before: tuple[Frame, ...] = ()
    start = 0
    while start < len(rows):
        path = paths[start]
        opened = path[:depth]
        for level in range(len(opened) - _opened(before, opened), len(opened)):
            yield Line(_indented(opened[level].name, opened, level), opened[level].call, None)
        before = opened
        end = start + 1
        if len(path) > depth:
            while end < len(rows) and len(paths[end]) > depth and paths[end][depth] is path[depth]:
                end += 1
            block = path[depth]
            yield Line(_indented(block.name, opened, depth), block.call, _sum(rows[start:end]), True)
        else:
            node = rows[start].node
            yield Line(_indented(node.name, opened, len(opened)), _written(graph, node), _figures(rows[start]))
        start = end


def _indented(name: str, opened: tuple[Frame, ...], level: int) -> str:
    """A name without the part that the line above it says."""
    above = opened[level - 1].name + "." if level else ""
    return INDENT * level + name.removeprefix(above)


def _written(graph: Graph, node: Node) -> str:
    """The layer as a spec writes it: a bias that a BN makes needless is not written."""
    layer = node.layer
    readers = graph.consumers[node.index]
    if layer.lacks_bias and len(readers) == 1 and graph.nodes[readers[0]].layer.absorbs_bias:
        layer = replace(layer, bias=None)
    return layer.describe()


def _figures(row: Row) -> Figures:
    cost = row.cost
    macs = cost.macs + cost.attention_macs
    return Figures(row.node.volume, cost.activations, cost.params, cost.biases, cost.formula, macs, row.receptive_field)


def _sum(rows: Sequence[Row]) -> Figures:
    total = add_up(row.cost for row in rows)
    last = rows[-1]
    biases, macs = total.params - total.params_no_bias, total.macs + total.attention_macs
    return Figures(last.node.volume, total.activations, total.params, biases, "", macs, last.receptive_field)
