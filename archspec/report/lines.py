"""Which lines a table has: one a layer, or one for a whole block.

In: a network, and how many levels of blocks are opened. Out: `Line` records. Blocks that are closed show the sums of
what is in them, and the volume and the receptive field of their last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archspec.analyses import Row, add_up
from archspec.diagnostics import plural
from archspec.ir import Frame
from archspec.record import Record
from archspec.volume import Volume

if TYPE_CHECKING:
    from archspec.api import Network

MOST_LINES = 40  # of a table that nobody asked to open further


class Line(Record):
    """One line of the table. `activations` is nothing for a layer in place; `formula` counts no biases."""

    name: str
    layer: str
    output: Volume
    activations: int | None
    params: int
    biases: int
    formula: str
    macs: int
    receptive_field: tuple[int, int]
    head: int = 0


def fold(network: Network, depth: int | None) -> list[Line]:
    """The lines at a depth: 0 is the top level. Without one, the deepest that leaves the table readable."""
    rows = network.analysis.rows
    frames = [_outermost_first(row) for row in rows]
    deepest = max(map(len, frames))
    if depth is None:
        depth = _readable(frames, deepest)
    if depth >= deepest:
        return [_layer_line(row) for row in rows]
    lines: list[Line] = []
    start = 0
    while start < len(rows):
        end = start + 1
        block = _closed(frames[start], depth)
        if block is None:
            lines.append(_layer_line(rows[start]))
        else:
            while end < len(rows) and _closed(frames[end], depth) is block and rows[end].node.head == rows[start].node.head:
                end += 1
            lines.append(_block_line(block, rows[start:end]))
        start = end
    return lines


def _readable(frames: Sequence[tuple[Frame, ...]], deepest: int) -> int:
    """The deepest level with few enough lines; the top one where there is none."""
    for depth in range(deepest, 0, -1):
        before: Frame | None = None
        count = 0
        for path in frames:
            block = _closed(path, depth)
            count += block is None or block is not before
            before = block
        if count <= MOST_LINES:
            return depth
    return 0


def _outermost_first(row: Row) -> tuple[Frame, ...]:
    path: list[Frame] = []
    frame = row.node.frame
    while frame is not None:
        path.append(frame)
        frame = frame.parent
    return tuple(reversed(path))


def _closed(path: tuple[Frame, ...], depth: int) -> Frame | None:
    """The block that hides a layer at this depth."""
    return path[depth] if len(path) > depth else None


def _layer_line(row: Row) -> Line:
    node, cost = row.node, row.cost
    activations = cost.activations or None
    return Line(
        node.name, node.layer.describe(), node.volume, activations, cost.params, cost.biases, cost.formula,
        cost.macs + cost.attention_macs, row.receptive_field, node.head,
    )  # fmt: skip


def _block_line(block: Frame, rows: Sequence[Row]) -> Line:
    total = add_up(row.cost for row in rows)
    last = rows[-1]
    return Line(
        block.name, f"{block.call}: {plural(len(rows), 'layer')}", last.node.volume, total.activations,
        total.params, total.params - total.params_no_bias, "", total.macs + total.attention_macs,
        last.receptive_field, last.node.head,
    )  # fmt: skip
