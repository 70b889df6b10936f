"""Places in a source: lines and columns count from 1, offsets from 0."""

import pytest

from archspec.diagnostics.source import Source, Span

SOURCE = Source("two.arch", "one\ntwo three\n\nfive")


@pytest.mark.parametrize(
    ("offset", "position"),
    [(0, (1, 1)), (3, (1, 4)), (4, (2, 1)), (8, (2, 5)), (14, (3, 1)), (15, (4, 1)), (19, (4, 5))],
)
def test_an_offset_has_a_line_and_a_column(offset: int, position: tuple[int, int]) -> None:
    assert SOURCE.position(offset) == position


def test_a_line_has_no_line_end() -> None:
    assert [SOURCE.line(number) for number in (1, 2, 3, 4)] == ["one", "two three", "", "five"]


def test_a_span_reaches_to_the_end_of_another() -> None:
    one, other = Span(SOURCE, 4, 7), Span(SOURCE, 8, 13)
    assert one.to(other) == Span(SOURCE, 4, 13)
    assert one.to(other).text == "two three"


def test_a_span_that_contains_another_keeps_its_end() -> None:
    outer, inner = Span(SOURCE, 4, 13), Span(SOURCE, 5, 7)
    assert outer.to(inner) == outer


def test_a_span_is_on_the_line_where_it_begins() -> None:
    assert Span(SOURCE, 8, 19).line == 2
