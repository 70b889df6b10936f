"""Pictures of confusion matrices.

In: an `Evaluation`. Out: an SVG with a cell for each pair of true and predicted class.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.confusion_tables import share, short
from archspec.compiler.pages.axis import round_ticks
from archspec.compiler.pages.svg import LETTER, ROW, svg, text

SIDE, LEAST, MOST_NAMES, MOST_COUNTS, LONGEST, LEVELS, LISTED = 600, 380, 60, 24, 22, 8, 10
RIGHT_COLOUR, WRONG_COLOUR = "#2f74d0", "#d9541e"


def confusion_picture(title: str, found: Evaluation) -> str:
    """Draw the matrix: rows are true classes, columns predicted ones; darker is a larger share of the row.

    Up to 60 classes are named on both sides. More are numbered, and their most frequent confusions are listed by name.
    """
    count = len(found.class_names)
    cell = min(56.0, SIDE / count)
    side = cell * count
    names = [short(name, LONGEST) for name in found.class_names] if count <= MOST_NAMES else []
    font = min(12.0, max(7.0, cell * 0.85))
    longest = max((len(name) for name in names), default=5) * font * LETTER
    left, top = longest + 44, longest + 64 if names else 84
    parts = [
        text(16, 22, title, 'font-weight="600" font-size="14"'),
        text(16, 40, f"top-1 {share(found.right, found.images)}", 'class="dim"'),
        f'<g transform="translate({left:.1f} {top:.1f}) scale({cell:.4f})">',
        *_cells(found, cell),
        "</g>",
        *_grid(count, cell, left, top),
        *(_names(names, cell, left, top, font) if names else _numbers(count, cell, left, top)),
        *(_counts(found, cell, left, top) if count <= MOST_COUNTS else ()),
        text(left, top + side + 20, "rows: true classes; columns: predicted classes", 'class="dim"'),
        *_scale(found, left, top + side + 32),
    ]
    height = top + side + 62
    listed = [] if names else list(_confusions(found, left, height))
    height += ROW * (len(listed) + 1) if listed else 0
    return svg(left + max(side, LEAST) + 24, height, title, [*parts, *listed])


def _confusions(found: Evaluation, left: float, top: float) -> Iterator[str]:
    for place, one in enumerate(found.confusions(LISTED), 1):
        names = [short(name, LONGEST) for name in (one.name, one.confused_with)]
        yield text(left, top + ROW * place, f"{names[0]} confused with {names[1]}: {one.times:,}")


def _cells(found: Evaluation, cell: float) -> Iterator[str]:
    """Yield one path for each colour and darkness, correct ones on top; cells are visible: at least two pixels wide."""
    shades: dict[tuple[bool, int], list[str]] = {}
    grown = max(1, round(2 / cell))
    for row, column, times in found.cells:
        level = math.ceil(LEVELS * times / found.images_by_class[row])
        shape = f"M{column - grown // 2} {row - grown // 2}h{grown}v{grown}h-{grown}z"
        shades.setdefault((row == column, level), []).append(shape)
    for (is_right, level), shapes in sorted(shades.items()):
        colour = RIGHT_COLOUR if is_right else WRONG_COLOUR
        yield f'<path fill="{colour}" fill-opacity="{_opacity(level, found):.2f}" d="{"".join(shapes)}"/>'


def _opacity(level: int, found: Evaluation) -> float:
    least = 0.2 if len(found.class_names) <= MOST_NAMES else 0.5
    return least + (1 - least) * (level - 1) / (LEVELS - 1)


def _grid(count: int, cell: float, left: float, top: float) -> Iterator[str]:
    side = cell * count
    if count <= MOST_NAMES:
        lines = "".join(
            f"M{left:.1f} {top + cell * place:.1f}h{side:.1f}M{left + cell * place:.1f} {top:.1f}v{side:.1f}"
            for place in range(1, count)
        )
        yield f'<path class="grid" stroke-width="0.5" d="{lines}"/>'
    yield f'<rect class="frame" x="{left:.1f}" y="{top:.1f}" width="{side:.1f}" height="{side:.1f}"/>'


def _names(names: Sequence[str], cell: float, left: float, top: float, font: float) -> Iterator[str]:
    size = f'font-size="{font:.1f}"'
    for place, name in enumerate(names):
        middle = cell * (place + 0.5)
        yield text(left - 6, top + middle + font / 3, name, f'{size} text-anchor="end"')
        x, y = left + middle + font / 3, top - 6
        yield text(x, y, name, f'{size} transform="rotate(-90 {x:.1f} {y:.1f})"')


def _numbers(count: int, cell: float, left: float, top: float) -> Iterator[str]:
    """Yield the numbers of classes, from 1."""
    for value in round_ticks(1, count, True):
        middle = cell * (value - 0.5)
        yield text(left - 6, top + middle + 4, f"{value:g}", 'class="dim" text-anchor="end"')
        yield text(left + middle, top - 6, f"{value:g}", 'class="dim" text-anchor="middle"')


def _counts(found: Evaluation, cell: float, left: float, top: float) -> Iterator[str]:
    for row, column, times in found.cells:
        words = f"{times:,}" if times < 10**4 else f"{times / 1000:.0f}k"
        font = min(12.0, cell * 0.5, cell * 0.9 / (LETTER * len(words)))
        dark = ' class="on"' if times / found.images_by_class[row] > 0.5 else ""
        x, y = left + cell * (column + 0.5), top + cell * (row + 0.5) + font / 3
        yield text(x, y, words, f'font-size="{font:.1f}" text-anchor="middle"{dark}')


def _scale(found: Evaluation, left: float, y: float) -> Iterator[str]:
    """Yield the legend of the colours."""
    for place, (name, colour) in enumerate((("right", RIGHT_COLOUR), ("wrong", WRONG_COLOUR))):
        start = left + 190 * place
        for level in range(1, LEVELS + 1):
            x = start + 10 * (level - 1)
            fill = f'fill="{colour}" fill-opacity="{_opacity(level, found):.2f}"'
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="10" height="10" {fill}/>'
        yield text(start + 10 * LEVELS + 6, y + 9, f"{name}, 0-100 %", 'class="dim"')
