"""The lines of a table: one per layer, or one for a whole block.

In: a network, and how many levels of blocks are opened. Out: `Line` records in the order of the graph, auxiliary
classifiers last. An open block has a line without figures, followed by its layers; a closed one shows the sums over its
layers, and the volume and receptive field of the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.analyses import Row, add_up
from archspec.analyses.receptive_field import Field
from archspec.graph.ir import Frame, Graph, Node
from archspec.graph.volume import Volume
from archspec.network import MeasuredNetwork
from archspec.record import Record, replace

MAX_LINES = 40  # of a table by default
INDENT = "  "


class Figures(Record):
    """The cost of a layer or closed block.

    `activations` is 0 for in-place layers; `formula` excludes biases; `params` those that another layer makes.
    """

    output: Volume
    activations: int
    params: int
    biases: int
    formula: str
    macs: int
    field: Field
    fields: tuple[tuple[str, Field], ...]  # in each of several inputs
    owner: str = ""  # of the parameters that it shares: a layer, or a block


class Line(Record):
    """One line of the table; without figures it is the heading of the lines below it."""

    name: str
    layer: str
    figures: Figures | None
    is_block: bool = False


def fold(network: MeasuredNetwork, depth: int | None) -> tuple[list[Line], int]:
    """Return the lines at a depth, and how many closed blocks they contain.

    Depth 0 is the top level; the default is the deepest that keeps the table readable.
    """
    graph = network.graph
    trunk = network.layers
    paths = _paths(trunk)
    if depth is None:
        counts = _counts(paths)
        depth = next((level for level in range(len(counts) - 1, 0, -1) if counts[level] <= MAX_LINES), 0)
    lines = [*_lines(graph, trunk, paths, depth)]
    for head, rows in zip(graph.heads, network.head_layers, strict=True):
        lines.append(Line(f"aux {head.weight:g}", "in training only", None))
        lines += _lines(graph, rows, _paths(rows), depth)
    return lines, sum(line.is_block for line in lines)


def _paths(rows: Sequence[Row]) -> list[tuple[Frame, ...]]:
    """Return the blocks around each layer, outermost first; layers of one block share the path."""
    known: dict[int, tuple[Frame, ...]] = {id(None): ()}

    def path(frame: Frame | None) -> tuple[Frame, ...]:
        if id(frame) not in known and frame is not None:
            known[id(frame)] = (*path(frame.parent), frame)
        return known[id(frame)]

    return [path(row.node.frame) for row in rows]


def _counts(paths: Sequence[tuple[Frame, ...]]) -> list[int]:
    """Return the number of lines at each depth, from 0 to the deepest."""
    opens = [0] * (max(map(len, paths)) + 1)  # blocks that begin at a level
    ends = [0] * len(opens)  # layers at a level
    before: tuple[Frame, ...] = ()
    for path in paths:
        if path is not before:
            for level in range(len(path) - _opened(before, path), len(path)):
                opens[level] += 1
        ends[len(path)] += 1
        before = path
    return [sum(opens[: depth + 1]) + sum(ends[: depth + 1]) for depth in range(len(opens))]


def _opened(before: tuple[Frame, ...], path: tuple[Frame, ...]) -> int:
    """Return how many blocks of `path` are not open in the line before."""
    if path is before:
        return 0
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
            yield Line(_indented(block.name, opened, depth), block.call, _sum(rows[start:end], block.name), True)
        else:
            node = rows[start].node
            yield Line(_indented(node.name, opened, len(opened)), _written(graph, node), _figures(rows[start]))
        start = end


def _indented(name: str, opened: tuple[Frame, ...], level: int) -> str:
    """Return a name without the part that its heading says."""
    above = opened[level - 1].name + "." if level else ""
    return INDENT * level + name.removeprefix(above)


def _written(graph: Graph, node: Node) -> str:
    """Return the layer as a spec writes it, without the mark of a bias that a BN makes unnecessary."""
    layer = node.layer
    if layer.lacks_bias and graph.readers[node.index] == 1 and _absorbed(graph, node):
        layer = replace(layer, bias=None)
    given = zip(layer.given, node.inputs[1:], strict=True) if layer.volumes else ()
    return " ".join([layer.describe(), *(f"{name}=@{graph.nodes[index].name}" for name, index in given)])


def _absorbed(graph: Graph, node: Node) -> bool:
    return any(graph.nodes[index].layer.absorbs_bias for index in graph.consumers[node.index])


def _figures(row: Row) -> Figures:
    cost, weights = row.cost, row.node.weights
    macs = cost.macs + cost.attention_macs
    formula, owner = (cost.formula, "") if weights is None else ("", weights.owner)
    return Figures(
        row.node.volume, cost.activations, cost.params, cost.biases, formula, macs, row.field, row.fields, owner
    )


def _sum(rows: Sequence[Row], block: str) -> Figures:
    total = add_up(row.cost for row in rows)
    last = rows[-1]
    biases, macs = total.params - total.params_no_bias, total.macs + total.attention_macs
    owner = "" if total.params else _owner(rows, block)
    return Figures(last.node.volume, total.activations, total.params, biases, "", macs, last.field, last.fields, owner)


def _owner(rows: Sequence[Row], block: str) -> str:
    """Return the block that makes all parameters of another one; empty if they are of several, or there are none."""
    shared = [(row.node.name.removeprefix(block), row.node.weights.owner) for row in rows if row.node.weights]
    owners = {owner.removesuffix(name) if owner.endswith(name) else "" for name, owner in shared}
    return owners.pop() if len(owners) == 1 else ""
