"""Lines as a table in columns, made to fit a width.

In: the lines. Out: text. Where it would be too wide, MACs are rounded, then memory, then formulas go; a layer that is
still too long is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from archspec.report.lines import Line

HEADERS = ("name", "layer", "output", "memory", "parameters", "MACs", "field")
RIGHT = frozenset({3, 5, 6})  # columns of plain numbers
LAYER = 1
SHORTEST_LAYER = 16
GAP = "  "
Cells = tuple[str, ...]


def exact(number: int) -> str:
    """All digits: 3,211,264."""
    return f"{number:,}"


def short(number: int) -> str:
    """As a slide rounds it, in powers of ten: 3.21M."""
    for limit, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= limit:
            digits = f"{number / limit:#.3g}".rstrip(".") if number < 999.5 * limit else f"{number / limit:.0f}"
            return digits + suffix
    return str(number)


# how memory and MACs are written, and whether formulas are, from the widest table to the narrowest
STYLES = (
    (exact, exact, True),
    (exact, short, True),
    (short, short, True),
    (exact, exact, False),
    (exact, short, False),
    (short, short, False),
)


def table(lines: Sequence[Line], width: int) -> list[str]:
    """The table's lines of text, headed."""
    for memory, macs, formulas in STYLES:
        rows = [_cells(line, memory, macs, formulas) for line in lines]
        widths = _widths(rows)
        if _total(widths) <= width:
            break
    excess = _total(widths) - width
    if excess > 0:
        widths[LAYER] = max(SHORTEST_LAYER, widths[LAYER] - excess)
        rows = [(*row[:LAYER], _cut(row[LAYER], widths[LAYER]), *row[LAYER + 1 :]) for row in rows]
    return [_join(HEADERS, widths), *(_join(row, widths) for row in rows)]


def _cells(line: Line, memory: Callable[[int], str], macs: Callable[[int], str], formulas: bool) -> Cells:
    figures = line.figures
    if figures is None:
        return (line.name, line.layer, "", "", "", "", "")
    params = f"{figures.params - figures.biases:,}" if figures.params else ""
    if formulas and figures.formula:
        params = f"{figures.formula} = {params}"
    return (
        line.name,
        line.layer,
        str(figures.output),
        memory(figures.activations) if figures.activations else "in place",
        params + (f" + {figures.biases:,}" if figures.biases else ""),
        macs(figures.macs) if figures.macs else "",
        field_text(figures.receptive_field),
    )


def field_text(field: tuple[int, int]) -> str:
    """A receptive field: 212, or 1x7 where its sides differ."""
    return str(field[0]) if field[0] == field[1] else f"{field[0]}x{field[1]}"


def _widths(rows: Sequence[Cells]) -> list[int]:
    return [max(map(len, column)) for column in zip(*chain([HEADERS], rows), strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(size) if place in RIGHT else cell.ljust(size)
        for place, (cell, size) in enumerate(zip(cells, widths, strict=True))
    )
    return GAP.join(aligned).rstrip()
