"""The loop that runs lark's tables agrees with lark's own, on lines derived from the grammar and on changed ones."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from lark.exceptions import UnexpectedInput

from archspec import grammar
from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Source, Span
from archspec.language.tables import LineParser, load_parser
from archspec.language.transform import SyntaxBuilder
from archspec.record import Record
from benchmarks.sweeps.spec_texts.derivations import derived_line
from benchmarks.sweeps.spec_texts.mutations import PIECES, seeds


def lines(chance: Random) -> list[tuple[str, str]]:
    """Lines, each with the rule that it is read by: right ones, changed ones, those of specs."""
    found = []
    for _ in range(150):
        start = chance.choice(("line", "line", "setting"))
        line = derived_line(start, chance)
        found.append((start, line))
        words = line.split(" ")
        words.insert(chance.randrange(len(words) + 1), chance.choice(PIECES))
        found.append((start, " ".join(words)))
    text = "\n".join(chance.choices(seeds(), k=10))
    return found + [("line", line.strip()) for line in text.split("\n") if line.strip()]


def unfolded(node: Any) -> Any:
    """A node with all its spans, which records ignore when they are compared."""
    if isinstance(node, Span):
        return node.start, node.end
    if isinstance(node, Record):
        return type(node).__name__, [unfolded(getattr(node, name)) for name in vars(type(node))["__slots__"]]
    if isinstance(node, tuple | list):
        return [unfolded(one) for one in node]
    return repr(node)


def read(parser: Any, builder: SyntaxBuilder, line: str, start: str) -> Any:
    builder.source, builder.offset = Source("line", line), 0
    try:
        return unfolded(parser.parse(line, start=start))
    except UnexpectedInput as error:
        return type(error).__name__, error.pos_in_stream
    except Finding as error:
        return error.code, error.message, error.span and (error.span.start, error.span.end)


@pytest.mark.parametrize("seed", range(2))
def test_the_loop_reads_a_line_as_lark_does(seed: int) -> None:
    builder = SyntaxBuilder()
    folder = Path(next(iter(grammar.__path__)))
    slow = load_parser(folder, builder)
    fast = LineParser(folder, builder)
    outcomes = []
    for start, line in lines(Random(seed)):
        outcomes.append(read(fast, builder, line, start))
        assert outcomes[-1] == read(slow, builder, line, start), line
    refused = sum(isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], int) for one in outcomes)
    assert 50 < refused < len(outcomes) - 150
