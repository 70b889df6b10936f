"""A measured network as text or data.

In: a network, or its stages. Out: the table with its summary, or dictionaries for `--json`. Nothing is computed here
but sums over blocks, and nothing is printed.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.findings import printable
from archspec.graph.volume import Volume
from archspec.network import MeasuredNetwork
from archspec.report.lines import fold
from archspec.report.summary import summary
from archspec.report.table import table

WIDTH = 100  # columns without a terminal


def report(network: MeasuredNetwork, *, depth: int | None = None, batch: int = 1, width: int = WIDTH) -> str:
    """Return the table of a network and its summary, as `archspec check` prints them.

    Args:
        network: The network.
        depth: How many levels of blocks to open; by default as many as keep the table readable.
        batch: Images per training step.
        width: Columns of the terminal.
    """
    variant = network.bundle.changes.variant
    named = f"{network.title} {variant}" if variant else network.title
    head = f"{printable(named)}   {_volumes(network.inputs)} -> {_volumes(network.outputs)}"
    totals = summary(network, batch, width)  # first: the memory that it takes is free again for the table
    lines, folded = fold(network, depth)
    hint = [f"{folded} blocks shown as one row each: --depth N or --all opens them"] if folded else []
    if len(head) > width and len(network.inputs) + len(network.outputs) > 2:
        head = _folded(head, width)
    return "\n".join([head, "", *table(lines, width), "", *totals, *hint]) + "\n"


def _volumes(ends: Sequence[tuple[str, Volume]]) -> str:
    """Return the volume of the only input or output, or the names and volumes of several."""
    if len(ends) == 1:
        return str(ends[0][1])
    return ", ".join(f"{printable(name)} {volume}" for name, volume in ends)


def _folded(head: str, width: int) -> str:
    """Break the line of several inputs and outputs after commas."""
    from textwrap import wrap  # 2 ms, and seldom needed

    parts = wrap(head.replace(" [", "\0["), width, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(parts).replace("\0", " ")
