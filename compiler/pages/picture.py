"""Pictures as SVG: lines over a common axis, and a confusion matrix.

In: names and numbers. Out: the text of an SVG that needs nothing else, and is readable on light and on dark paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from archspec.compiler.evaluation.confusion import Evaluation

Points = Sequence[tuple[float, float]]
STYLE = (
    "<style>.pic{background:#fff;font:12px system-ui,sans-serif}.pic text{fill:#222}.pic .dim{fill:#666}"
    ".pic .grid{stroke:#ddd;fill:none}.pic .frame{stroke:#999;fill:none}.pic .on{fill:#fff}"
    "@media screen and (prefers-color-scheme:dark){.pic{background:#16181d}.pic text{fill:#e4e4e4}"
    ".pic .dim{fill:#a0a0a0}.pic .grid{stroke:#333}.pic .frame{stroke:#777}.pic .on{fill:#fff}}</style>"
)
LETTER = 0.58  # of the font size, the width of one on average


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pic" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' font-family="system-ui,sans-serif" font-size="12" role="img" aria-label="{escape(title)}">'
    )
    return "\n".join([head, STYLE, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more and " " + more}>{escape(text)}</text>'


def number(value: float) -> str:
    """A number as pictures show it.

    >>> number(0.0213456), number(1234567.0), number(3.0)
    ('0.02135', '1.235e+06', '3')
    """
    return f"{value:.4g}"


# ---- lines
WIDTH, PLOT, LEFT, RIGHT, TOP, ROW = 640, 220, 64, 20, 34, 18
COLOURS = ("#3b7dd8", "#e0702a", "#2fa36b", "#a463c9", "#c2a01e", "#1fa5b8", "#dc4f80", "#8a8a8a")
DASHES = ("", ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"')
MOST_TICKS = 6


def line_chart(
    title: str, series: Mapping[str, Points], *, x_label: str = "", y_label: str = "", log: bool = False
) -> str:
    """Lines over one axis, with their first and last values in the legend.

    What is no number leaves a gap; what is infinite, and with `log` what is not above 0, lies on the edge.
    """
    axis = _Axis([y for points in series.values() for _, y in points], log)
    xs = [x for points in series.values() for x, _ in points]
    low, high = min(xs, default=0.0), max(xs, default=1.0)
    high = high if high > low else low + 1

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (x - low) / (high - low)

    bottom = TOP + PLOT
    parts = [_text(LEFT, 20, title, 'font-weight="600"')]
    if y_label:
        parts.append(_text(WIDTH - RIGHT, 20, y_label, 'class="dim" text-anchor="end"'))
    for value, label in axis.ticks:
        y = bottom - PLOT * axis.share(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 6, y + 4, label, 'class="dim" text-anchor="end"'))
    for value in _steps(low, high, all(x == int(x) for x in xs)):
        parts.append(_text(across(value), bottom + 16, number(value), 'class="dim" text-anchor="middle"'))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + 32, x_label, 'class="dim" text-anchor="middle"'))
    for place, (name, points) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        stroke = f'stroke="{colour}" stroke-width="2"{DASHES[place // len(COLOURS) % len(DASHES)]}'
        parts += _line([(across(x), bottom - PLOT * axis.share(y)) for x, y in points], stroke, colour)
        legend = bottom + 54 + ROW * place
        parts.append(f'<path d="M{LEFT} {legend - 4}h22" {stroke}/>')
        parts.append(_text(LEFT + 30, legend, _legend(name, points)))
    return _svg(WIDTH, bottom + 50 + ROW * len(series), title, parts)


def _legend(name: str, points: Points) -> str:
    if not points:
        return name
    first, last = number(points[0][1]), number(points[-1][1])
    return f"{name}: {first}" if len(points) == 1 else f"{name}: {first} \N{RIGHTWARDS ARROW} {last}"


def _line(points: Points, stroke: str, colour: str) -> Iterator[str]:
    """One line a part without gaps; a part of a single point is a dot."""
    part: list[tuple[float, float]] = []
    for point in (*points, (math.nan, math.nan)):
        if not math.isnan(point[1]):
            part.append(point)
            continue
        if len(part) == 1:
            yield f'<circle cx="{part[0][0]:.1f}" cy="{part[0][1]:.1f}" r="3" fill="{colour}"/>'
        elif part:
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in part)
            yield f'<polyline points="{places}" fill="none" {stroke}/>'
        part = []


class _Axis:
    """From values to shares of the height, and the marks on it."""

    def __init__(self, values: Sequence[float], log: bool) -> None:
        self.log = log
        self.low: float
        self.high: float
        usable = [math.log10(one) if log else one for one in values if math.isfinite(one) and (one > 0 or not log)]
        low, high = min(usable, default=0.0), max(usable, default=1.0)
        if log:
            self.low, self.high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
            powers = range(math.floor(low), round(self.high) + 1, math.ceil((self.high - self.low) / MOST_TICKS))
            self.ticks = [(10.0**power, f"1e{power}") for power in powers]
            return
        low, high = (low, high) if high > low else (low - (abs(low) or 1) / 10, high + (abs(high) or 1) / 10)
        marks = _steps(low, high, False)
        step = marks[1] - marks[0]
        self.low = marks[0] if marks[0] <= low else marks[0] - step
        self.high = marks[-1] if marks[-1] >= high - step * 1e-9 else marks[-1] + step
        count = round((self.high - self.low) / step)
        self.ticks = [(value, number(value)) for value in (self.low + step * place for place in range(count + 1))]

    def share(self, value: float) -> float:
        """How high a value lies, 0 .. 1; no number stays none."""
        if math.isnan(value):
            return value
        if self.log:
            value = -math.inf if value <= 0 else math.log10(value) if value < math.inf else value
        return (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


def _steps(low: float, high: float, whole: bool) -> list[float]:
    """Some round numbers from `low` to `high`, at least two of them where they need not be whole.

    >>> _steps(1, 10, True), _steps(0.013, 0.04, False)
    ([2, 4, 6, 8, 10], [0.015, 0.02, 0.025, 0.03, 0.035, 0.04])
    """
    raw = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    step = max(1.0, round(step)) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    found = [round(step * place, 12) for place in range(first, last + 1)]
    return [int(one) for one in found] if whole else found


# ---- the confusion matrix
SIDE, LEAST, MOST_NAMES, MOST_COUNTS, LONGEST, LEVELS, LISTED = 600, 380, 60, 24, 22, 8, 10
RIGHT_COLOUR, WRONG_COLOUR = "#2f74d0", "#d9541e"


def confusion_picture(title: str, found: Evaluation) -> str:
    """The matrix: a row is what images are, a column what they were taken for; darker is a larger share of the row.

    Up to 60 classes have their names on both sides. Above that classes go by number, and the most frequent confusions
    are listed by name.
    """
    count = len(found.class_names)
    cell = min(56.0, SIDE / count)
    side = cell * count
    names = [_short(name) for name in found.class_names] if count <= MOST_NAMES else []
    font = min(12.0, max(7.0, cell * 0.85))
    longest = max((len(name) for name in names), default=5) * font * LETTER
    left, top = longest + 44, longest + 64 if names else 84
    parts = [
        _text(16, 22, title, 'font-weight="600" font-size="14"'),
        _text(16, 40, f"top-1 {100 * found.top1:.2f} % ({found.right:,} of {found.images:,})", 'class="dim"'),
        f'<g transform="translate({left:.1f} {top:.1f}) scale({cell:.4f})">',
        *_cells(found, cell),
        "</g>",
        *_grid(count, cell, left, top),
        *(_names(names, cell, left, top, font) if names else _numbers(count, cell, left, top)),
        *(_counts(found, cell, left, top) if count <= MOST_COUNTS else ()),
        _text(left, top + side + 20, "rows: what images are; columns: what they were taken for", 'class="dim"'),
        *_scale(found, left, top + side + 32),
    ]
    height = top + side + 62
    if not names:
        largest = found.confusions(LISTED)
        lines = [f"{_short(one.name)} taken for {_short(one.taken_for)}: {one.times:,}" for one in largest]
        parts += [_text(left, height + ROW * (place + 1), line) for place, line in enumerate(lines)]
        height += ROW * (len(lines) + 1)
    return _svg(left + max(side, LEAST) + 24, height, title, parts)


def _cells(found: Evaluation, cell: float) -> Iterator[str]:
    """One path for each colour and darkness, what is right on top; at least two pixels wide, so that it is seen."""
    shades: dict[tuple[bool, int], list[str]] = {}
    grown = max(1, round(2 / cell))
    for row, counts in enumerate(found.matrix):
        images = sum(counts)
        for column, times in enumerate(counts):
            if times:
                level = math.ceil(LEVELS * times / images)
                is_right = row == column
                shape = f"M{column - grown // 2} {row - grown // 2}h{grown}v{grown}h-{grown}z"
                shades.setdefault((is_right, level), []).append(shape)
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
        yield _text(left - 6, top + middle + font / 3, name, f'{size} text-anchor="end"')
        x, y = left + middle + font / 3, top - 6
        yield _text(x, y, name, f'{size} transform="rotate(-90 {x:.1f} {y:.1f})"')


def _numbers(count: int, cell: float, left: float, top: float) -> Iterator[str]:
    """Classes by number, from 1."""
    for value in _steps(1, count, True):
        middle = cell * (value - 0.5)
        yield _text(left - 6, top + middle + 4, f"{value:g}", 'class="dim" text-anchor="end"')
        yield _text(left + middle, top - 6, f"{value:g}", 'class="dim" text-anchor="middle"')


def _counts(found: Evaluation, cell: float, left: float, top: float) -> Iterator[str]:
    for row, counts in enumerate(found.matrix):
        for column, times in enumerate(counts):
            if times:
                text = f"{times:,}" if times < 10**4 else f"{times / 1000:.0f}k"
                font = min(12.0, cell * 0.5, cell * 0.9 / (LETTER * len(text)))
                dark = ' class="on"' if times / sum(counts) > 0.5 else ""
                x, y = left + cell * (column + 0.5), top + cell * (row + 0.5) + font / 3
                yield _text(x, y, text, f'font-size="{font:.1f}" text-anchor="middle"{dark}')


def _scale(found: Evaluation, left: float, y: float) -> Iterator[str]:
    """What the colours mean."""
    for place, (name, colour) in enumerate((("right", RIGHT_COLOUR), ("wrong", WRONG_COLOUR))):
        start = left + 190 * place
        for level in range(1, LEVELS + 1):
            x = start + 10 * (level - 1)
            fill = f'fill="{colour}" fill-opacity="{_opacity(level, found):.2f}"'
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="10" height="10" {fill}/>'
        yield _text(start + 10 * LEVELS + 6, y + 9, f"{name}, 0-100 %", 'class="dim"')


def _short(name: str) -> str:
    shown = "".join(one if one.isprintable() else "?" for one in name)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
