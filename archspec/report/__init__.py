"""A measured network as text: the table, then what it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.report.lines import fold
from archspec.report.summary import summary
from archspec.report.table import table

if TYPE_CHECKING:
    from archspec.api import Network

WIDTH = 100  # columns, where nobody says otherwise


def report(network: Network, *, depth: int | None = None, batch: int = 1, width: int = WIDTH) -> str:
    """What `archspec check` prints of a network.

    `depth` is how many levels of blocks are opened; without it, as many as leave the table readable.
    """
    head = f"{network.title}   {network.input} -> {network.output}"
    lines, folded = fold(network, depth)
    hint = [f"{folded} blocks in one row each: --depth N or --all opens them"] if folded else []
    return "\n".join([head, "", *table(lines, width), "", *summary(network, batch, width), *hint]) + "\n"
