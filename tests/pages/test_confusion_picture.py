"""The picture of a confusion matrix: every entry, in its place."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.pages.confusion_picture import RIGHT_COLOUR, WRONG_COLOUR, confusion_picture


@pytest.mark.parametrize("count", [2, 10, 60, 61, 1000])
def test_the_picture_draws_every_entry(count: int) -> None:
    names = tuple(f"<b>{number}</b>" for number in range(count))
    counts = 3 * np.eye(count, dtype=int) + np.roll(np.eye(count, dtype=int), 1, axis=1)
    matrix = tuple(map(tuple, counts.tolist()))
    root = ElementTree.fromstring(confusion_picture("a & b", Evaluation.of_matrix(names, matrix, (3,) * count)))
    drawn = sum(path.get("d", "").count("z") for path in root.findall(".//{*}path") if path.get("fill"))
    assert drawn == 2 * count
    texts = [text.text or "" for text in root.findall(".//{*}text")]
    assert "a & b" in texts
    assert any("<b>0</b>" in text for text in texts)


def test_rows_are_true_classes_and_columns_predicted_ones() -> None:
    root = ElementTree.fromstring(
        confusion_picture("t", Evaluation.of_matrix(("a", "b", "c"), ((2, 0, 3), (0, 1, 0), (0, 0, 0)), (2, 1, 0)))
    )
    cells = {path.get("d"): path.get("fill") for path in root.findall(".//{*}path") if path.get("fill")}
    places = {(int(x), int(y)): fill for d, fill in cells.items() for x, y in re.findall(r"M(-?\d+) (-?\d+)", d or "")}
    assert places == {(0, 0): RIGHT_COLOUR, (1, 1): RIGHT_COLOUR, (2, 0): WRONG_COLOUR}
    words = {text.text: text for text in root.findall(".//{*}text")}
    three, two, one = (words[number] for number in ("3", "2", "1"))
    assert float(three.get("x", "")) > float(one.get("x", "")) > float(two.get("x", ""))
    assert float(three.get("y", "")) == float(two.get("y", "")) < float(one.get("y", ""))
    assert "top-1 50.00 % (3 of 6)" in words


def test_classes_that_are_not_named_are_listed_with_their_confusions() -> None:
    counts = np.eye(61, dtype=int)
    counts[3, 7] = 2
    names = tuple(f"class {number}" for number in range(61))
    text = confusion_picture("t", Evaluation.of_matrix(names, tuple(map(tuple, counts.tolist())), (1,) * 61))
    assert "class 3 confused with class 7: 2" in text
