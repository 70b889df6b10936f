"""How the builder counts: ordinals in messages, and the bound of layers."""

import pytest

from archspec.diagnostics.source import Source, Span
from archspec.resolve.graph_builder import GraphBuilder, TooLarge, ordinal


@pytest.mark.parametrize(
    ("number", "text"),
    [(number, f"{number}th") for number in (4, 10, 11, 12, 13, 14, 20, 100, 111, 112, 113, 1011)]
    + [(1, "1st"), (2, "2nd"), (3, "3rd"), (21, "21st"), (22, "22nd"), (23, "23rd"), (101, "101st"), (122, "122nd")],
)
def test_an_ordinal_is_written_as_in_english(number: int, text: str) -> None:
    assert ordinal(number) == text


def test_a_network_may_have_as_many_layers_as_the_bound() -> None:
    span = Span(Source("x.arch", ""), 0, 0)
    builder = GraphBuilder(max_steps=2)
    builder.step(span)
    builder.step(span)
    with pytest.raises(TooLarge):
        builder.step(span)
