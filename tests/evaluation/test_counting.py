"""Counts and what follows from them, as data and as text."""

import numpy as np
import pytest
import torch

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.confusion_tables import class_rows, matrix_table, share, short, totals
from archspec.compiler.evaluation.counting import Tally


def test_of_equal_scores_the_lower_number_comes_first() -> None:
    tally = Tally([str(number) for number in range(8)])
    tally.add(torch.zeros(8, 8), torch.arange(8))
    found = tally.evaluation()
    assert [row[0] for row in found.matrix] == [1] * 8
    assert found.right_in_5 == (1, 1, 1, 1, 1, 0, 0, 0)


def test_ties_among_many_classes_are_counted_by_the_lower_number() -> None:
    """Sorting so many equal scores reorders them, unless the sort is stable."""
    chance = np.random.default_rng(0)
    scores = chance.integers(0, 3, (50, 1000)).astype(np.float32)
    truth = chance.integers(0, 1000, 50)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    truth[:25] = first[:25, 4]  # right at the fifth guess
    tally = Tally([str(number) for number in range(1000)])
    tally.add(torch.from_numpy(scores), torch.from_numpy(truth))
    found = tally.evaluation()
    expected = np.zeros((1000, 1000), dtype=int)
    np.add.at(expected, (truth, first[:, 0]), 1)
    assert found.matrix == tuple(map(tuple, expected.tolist()))
    among = np.bincount(truth[(first == truth[:, None]).any(1)], minlength=1000)
    assert found.right_in_5 == tuple(among.tolist())


def test_batches_add_up() -> None:
    tally = Tally(["a", "b"])
    for scores, classes in (([[2.0, 1.0], [0.0, 3.0]], [0, 0]), ([[1.0, 0.0]], [1])):
        tally.add(torch.tensor(scores), torch.tensor(classes))
    assert tally.evaluation().matrix == ((1, 1), (1, 0))


def test_rows_are_true_classes_and_the_first_of_equal_confusions_is_named() -> None:
    found = Evaluation.of_matrix(("a", "b", "c"), ((5, 2, 2), (0, 0, 0), (0, 4, 1)), (9, 0, 5))
    first, empty, last = found.classes()
    assert (first.images, first.right, first.confused_with, first.confused) == (9, 5, "b", 2)
    assert (empty.images, empty.top1, empty.confused_with) == (0, None, None)
    assert (last.top1, last.confused_with) == (1 / 5, "b")
    assert [(one.name, one.confused_with, one.times) for one in found.confusions(2)] == [("c", "b", 4), ("a", "b", 2)]
    assert found.confusions(1)[0].share == 4 / 5
    assert (found.images, found.right, found.top1, found.top5) == (14, 6, 6 / 14, 1)
    assert class_rows(found)[1:] == [
        ("a", "9", "5", "55.56 %", "b (2)"),
        ("b", "0", "0", "", ""),
        ("c", "5", "1", "20.00 %", "b (4)"),
    ]


@pytest.mark.parametrize(("count", "lines"), [(2, 1), (5, 1), (6, 2)])
def test_top_5_is_shown_for_more_than_five_classes(count: int, lines: int) -> None:
    names = tuple(map(str, range(count)))
    assert len(totals(Evaluation.of_matrix(names, ((1,) * count,) * count, (1,) * count), {})) == lines


@pytest.mark.parametrize(("count", "head"), [(12, "confusion matrix"), (13, "most frequent confusions")])
def test_a_matrix_of_up_to_twelve_classes_is_shown(count: int, head: str) -> None:
    names = tuple(map(str, range(count)))
    assert matrix_table(Evaluation.of_matrix(names, ((1,) * count,) * count, (1,) * count))[0].startswith(head)


def test_shares_and_names_are_short_text() -> None:
    assert share(312, 338) == "92.31 % (312 of 338)"
    assert share(0, 0) == "0.00 % (0 of 0)"
    assert [short("a" * count, 8) for count in (8, 9)] == ["a" * 8, "aaaaa..."]
    assert short("a\tb\n") == "a\N{RIGHTWARDS ARROW TO BAR}b\N{REPLACEMENT CHARACTER}"


def test_a_wide_matrix_is_a_list_of_its_largest_entries() -> None:
    names = tuple(f"class {number}" for number in range(30))
    matrix = [[90 if row == column else 0 for column in range(30)] for row in range(30)]
    matrix[4][7] = 30
    lines = matrix_table(Evaluation.of_matrix(names, tuple(map(tuple, matrix)), (90,) * 30))
    assert [line.split() for line in lines[2:]] == [["class", "4", "class", "7", "30", "25.0", "%"]]


def test_long_names_are_keys_in_a_matrix() -> None:
    names = tuple(f"a class of a long name {number}" for number in range(12))
    lines = matrix_table(Evaluation.of_matrix(names, tuple((1,) * 12 for _ in range(12)), (1,) * 12))
    assert max(map(len, lines)) <= 100
    assert lines[1].split() == [str(number) for number in range(1, 13)]
    assert lines[2].startswith("1 a class of a long name 0")
