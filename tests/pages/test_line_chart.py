"""Line charts: any numbers can be drawn, gaps show, lines are told apart."""

import math
from xml.etree import ElementTree

import pytest

from archspec.compiler.pages.line_chart import line_chart


def test_lines_have_gaps_and_dots() -> None:
    gap = [(1, 1.0), (2, 2.0), (3, math.nan), (4, 4.0), (5, math.nan), (6, 1.0), (7, 1.5)]
    root = ElementTree.fromstring(line_chart("t", {"a": gap, "b <c>": [(1, 3.0)]}))
    assert len(root.findall(".//{*}polyline")) == 2
    assert len(root.findall(".//{*}circle")) == 2
    assert any((text.text or "").startswith("b <c>") for text in root.findall(".//{*}text"))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values", [[0.0], [0.0, 0.0], [5.0] * 3, [1e-30, 1e30], [-3.0, 2.0], [math.inf, 1.0], [1e9, 1e9 + 1], [math.nan]]
)
def test_any_numbers_can_be_drawn_inside_the_frame(values: list[float], log: bool) -> None:
    root = ElementTree.fromstring(line_chart("t", {"a": list(enumerate(values))}, log=log))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for line in root.findall(".//{*}polyline"):
        for point in line.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_many_runs_are_told_apart() -> None:
    root = ElementTree.fromstring(line_chart("t", {f"run {number}": [(0, number), (1, 2)] for number in range(20)}))
    looks = {(line.get("stroke"), line.get("stroke-dasharray")) for line in root.findall(".//{*}polyline")}
    assert len(looks) == 20
