"""Line charts.

In: names and points. Out: an SVG with the lines over a common axis and a legend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from archspec.compiler.pages.axis import ValueAxis, round_ticks
from archspec.compiler.pages.svg import ROW, number, svg, text

Points = Sequence[tuple[float, float]]
WIDTH, PLOT, LEFT, RIGHT, TOP = 640, 220, 64, 20, 34
LINE_COLOURS = ("#3b7dd8", "#e0702a", "#2fa36b", "#a463c9", "#c2a01e", "#1fa5b8", "#dc4f80", "#8a8a8a")
DASHES = ("", ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"')
BOTTOM = TOP + PLOT


def line_chart(
    title: str, series: Mapping[str, Points], *, x_label: str = "", y_label: str = "", log: bool = False
) -> str:
    """Draw lines over one axis, with their first and last values in the legend.

    NaN leaves a gap; infinity, and with `log` any value not above 0, lies on the edge.
    """
    axis = ValueAxis([y for points in series.values() for _, y in points], log)
    xs = [x for points in series.values() for x, _ in points]
    low, high = min(xs, default=0.0), max(xs, default=1.0)
    high = high if high > low else low + 1

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (x - low) / (high - low)

    parts = [text(LEFT, 20, title, 'font-weight="600"'), *_grid(axis)]
    if y_label:
        parts.append(text(WIDTH - RIGHT, 20, y_label, 'class="dim" text-anchor="end"'))
    for value in round_ticks(low, high, all(x == int(x) for x in xs)):
        parts.append(text(across(value), BOTTOM + 16, number(value), 'class="dim" text-anchor="middle"'))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, BOTTOM + 32, x_label, 'class="dim" text-anchor="middle"'))
    for place, (name, points) in enumerate(series.items()):
        parts += _series(place, name, points, [(across(x), BOTTOM - PLOT * axis.share(y)) for x, y in points])
    return svg(WIDTH, BOTTOM + 50 + ROW * len(series), title, parts)


def _grid(axis: ValueAxis) -> Iterator[str]:
    for value, label in axis.ticks:
        y = BOTTOM - PLOT * axis.share(value)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield text(LEFT - 6, y + 4, label, 'class="dim" text-anchor="end"')


def _series(place: int, name: str, values: Points, points: Points) -> Iterator[str]:
    """Yield a line, and its entry in the legend."""
    colour = LINE_COLOURS[place % len(LINE_COLOURS)]
    stroke = f'stroke="{colour}" stroke-width="2"{DASHES[place // len(LINE_COLOURS) % len(DASHES)]}'
    yield from _line(points, stroke, colour)
    y = BOTTOM + 54 + ROW * place
    yield f'<path d="M{LEFT} {y - 4}h22" {stroke}/>'
    yield text(LEFT + 30, y, _legend(name, values))


def _legend(name: str, points: Points) -> str:
    if not points:
        return name
    first, last = number(points[0][1]), number(points[-1][1])
    return f"{name}: {first}" if len(points) == 1 else f"{name}: {first} \N{RIGHTWARDS ARROW} {last}"


def _line(points: Points, stroke: str, colour: str) -> Iterator[str]:
    """Yield a line for each part without gaps; a part of a single point is a dot."""
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
