"""Lines as a table in columns that fits a width.

In: the lines. Out: text. Formulas of parameters are shown if they fit. If few would, MACs are rounded, then memory; if
that does not help, there are no formulas; and if the table is still too wide, the layer column is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from archspec.analyses.receptive_field import Field
from archspec.report.lines import Figures, Line

HEADERS = ("name", "layer", "output", "memory", "parameters", "MACs", "field")
RIGHT = frozenset({3, 5, 6})  # columns of plain numbers
LAYER, PARAMS = 1, 4
SHORTEST_LAYER = 16
LONGEST_NAME = 100
GAP = "  "
Cells = tuple[str, ...]
Number = Callable[[int], str]  # how to write a number


def exact(number: int) -> str:
    """Return all digits: 3,211,264."""
    return f"{number:,}"


def short(number: int) -> str:
    """Return a number as a slide rounds it, in powers of ten: 3.21M."""
    for limit, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= limit:
            digits = f"{number / limit:#.3g}".rstrip(".") if number < 999.5 * limit else f"{number / limit:.0f}"
            return digits + suffix
    return str(number)


# of memory and MACs, from the widest table to the narrowest
STYLES: tuple[tuple[Number, Number], ...] = ((exact, exact), (exact, short), (short, short))
MOST = 0.6  # of the formulas must fit for a style to be chosen


def table(lines: Sequence[Line], width: int) -> list[str]:
    """Return the lines of text, headers first."""
    rows = _choose(lines, width)
    widths = _widths(rows)
    excess = _total(widths) - width
    if excess > 0:
        widths[LAYER] = max(SHORTEST_LAYER, widths[LAYER] - excess)
        rows = [(*row[:LAYER], _cut(row[LAYER], widths[LAYER]), *row[LAYER + 1 :]) for row in rows]
    columns = [f"{{:{'>' if place in RIGHT else '<'}{size}}}" for place, size in enumerate(widths)]
    line = GAP.join(columns).format
    return [line(*row).rstrip() for row in (HEADERS, *rows)]


def _choose(lines: Sequence[Line], width: int) -> list[Cells]:
    """Return the cells in the first style with room for most formulas, or else for the figures alone."""
    formulas = [_formula(line) for line in lines]
    most = MOST * sum(map(bool, formulas))
    bare: list[Cells] = []
    for style in STYLES:
        rows = [_cells(line, *style) for line in lines]
        widths = _widths(rows)
        room = width - _total(widths) + widths[PARAMS]
        fitting = [formula if len(formula) <= room else "" for formula in formulas]
        if room >= widths[PARAMS] and sum(map(bool, fitting)) >= most:
            return [
                (*row[:PARAMS], formula or row[PARAMS], *row[PARAMS + 1 :])
                for row, formula in zip(rows, fitting, strict=True)
            ]
        bare = bare or (rows if _total(widths) <= width else [])
    return bare or rows


def _cells(line: Line, memory: Number, macs: Number) -> Cells:
    figures = line.figures
    if figures is None:
        return (_cut(line.name, LONGEST_NAME), line.layer, "", "", "", "", "")
    return (
        _cut(line.name, LONGEST_NAME),
        line.layer,
        str(figures.output),
        memory(figures.activations) if figures.activations else "in place",
        _params(figures),
        macs(figures.macs) if figures.macs else "",
        _fields(figures),
    )


def _params(figures: Figures) -> str:
    """Return weights, then biases: 73,728 + 128; of shared ones whose they are: of tower1.conv1."""
    weights, owner = figures.params - figures.biases, figures.owner
    parts = [f"of {_cut(owner, LONGEST_NAME)}"] * bool(owner)
    parts += [f"{weights:,}"] if weights or (figures.params and not owner) else []
    return " + ".join([*parts, *[f"{figures.biases:,}"] * bool(figures.biases)])


def _formula(line: Line) -> str:
    """Return the same with its formula: (3*3*64)*128 = 73,728 + 128."""
    return f"{line.figures.formula} = {_params(line.figures)}" if line.figures and line.figures.formula else ""


def _fields(figures: Figures) -> str:
    """Return the receptive field; of several inputs, those that differ: 3 | 5."""
    return " | ".join(dict.fromkeys(field_text(field) for _, field in figures.fields)) or field_text(figures.field)


def field_text(field: Field) -> str:
    """Return a receptive field as text: 212; 1x7 if its sides differ; 427+ if a global layer sees more."""
    height, width = field.size
    return (str(height) if height == width else f"{height}x{width}") + "+" * field.is_partial


def _widths(rows: Sequence[Cells]) -> list[int]:
    return [max(map(len, column)) for column in zip(*chain([HEADERS], rows), strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
