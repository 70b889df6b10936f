"""Line charts: where points, ticks and labels lie."""

import math
from xml.etree import ElementTree

import pytest

from archspec.compiler.pages.axis import ValueAxis, round_ticks
from archspec.compiler.pages.line_chart import BOTTOM, LEFT, PLOT, RIGHT, TOP, WIDTH, line_chart

Point = tuple[float, float]


def drawn(values: list[float], log: bool = False) -> list[Point]:
    root = ElementTree.fromstring(line_chart("t", {"a": list(enumerate(values))}, log=log))
    (line,) = root.findall(".//{*}polyline")
    pairs = (point.split(",") for point in line.get("points", "").split())
    return [(float(x), float(y)) for x, y in pairs]


def test_points_lie_from_left_to_right_and_larger_values_higher() -> None:
    points = drawn([0.0, 5.0, 10.0])
    assert points == [(LEFT, BOTTOM), ((LEFT + WIDTH - RIGHT) / 2, TOP + PLOT / 2), (WIDTH - RIGHT, TOP)]


@pytest.mark.parametrize(
    ("values", "heights"),
    [([-math.inf, 0.0, 10.0, math.inf], [0, 0, 1, 1]), ([1.0, 0.0, -2.0, 10.0, 100.0], [0, 0, 0, 0.5, 1])],
    ids=["linear", "logarithmic"],
)
def test_values_outside_the_axis_lie_on_its_edge(values: list[float], heights: list[float]) -> None:
    found = [(BOTTOM - y) / PLOT for _, y in drawn(values, log=100.0 in values)]
    assert found == pytest.approx(heights)


def test_ticks_are_round_and_cover_the_values() -> None:
    for low, high in ((0.013, 0.04), (1.0, 1.0), (-3.0, 2.0), (1e9, 1e9 + 1), (0.0, 99.0)):
        axis = ValueAxis([low, high], log=False)
        values = [value for value, _ in axis.ticks]
        assert values[0] <= low <= high <= values[-1] + 1e-6 * abs(high)
        assert [axis.share(values[0]), axis.share(values[-1])] == pytest.approx([0, 1])
        assert 2 <= len(values) <= 9
    assert [label for _, label in ValueAxis([3e-4, 20.0], log=True).ticks] == [f"1e{power}" for power in range(-4, 3)]
    assert round_ticks(1, 30, True) == [5, 10, 15, 20, 25, 30]


def test_the_legend_has_the_first_and_the_last_value() -> None:
    text = line_chart("t", {"loss": [(1, 2.5), (2, 0.25)], "one": [(1, 3.0)]}, x_label="epoch", y_label="%")
    words = [one.text for one in ElementTree.fromstring(text).findall(".//{*}text")]
    assert {"loss: 2.5 → 0.25", "one: 3", "epoch", "%"} <= set(words)
