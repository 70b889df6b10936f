"""A line as it is meant: its changed text, where each character comes from, and a parser that keeps the places.

In: a line of a source. Out: `Reading`s of it, and the syntax of one, whose spans lie in the source as written.
"""

from __future__ import annotations

from typing import Any

from lark import Token

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Source, Span
from archspec.language.transform import SyntaxBuilder


class Reading:
    """A text, and for each of its characters the part of the source that it stands for."""

    __slots__ = ("ends", "is_new", "source", "starts", "text")

    def __init__(self, span: Span) -> None:
        self.source: Source = span.source
        self.text = span.text
        self.starts = list(range(span.start, span.end))
        self.ends = list(range(span.start + 1, span.end + 1))
        self.is_new = [False] * len(self.text)

    def span(self, start: int, end: int) -> Span:
        """Return the place in the source of the characters `start` to `end`."""
        if start < end:
            return Span(self.source, self.starts[start], self.ends[end - 1])
        at = self.starts[start] if start < len(self.starts) else self.ends[-1] if self.ends else 0
        return Span(self.source, at, at)

    def changed(self, start: int, end: int, replacement: str) -> Reading | None:
        """Return the reading with `replacement` for some characters; None if one of them was changed before."""
        if any(self.is_new[start:end]):
            return None
        at, size = self.span(start, end), len(replacement)
        new = Reading(Span(self.source, at.start, at.start))
        new.text = self.text[:start] + replacement + self.text[end:]
        new.starts = self.starts[:start] + [at.start] * size + self.starts[end:]
        new.ends = self.ends[:start] + [at.end] * size + self.ends[end:]
        new.is_new = self.is_new[:start] + [True] * size + self.is_new[end:]
        return new

    def silently(self, start: int, end: int, replacement: str) -> Reading:
        """Return the reading with `replacement` for characters that mean the same: no edit, and no obstacle to one."""
        new = self.changed(start, end, replacement)
        if new is None:
            return self
        new.is_new[start : start + len(replacement)] = [False] * len(replacement)
        return new

    def edit(self, start: int, end: int, replacement: str) -> Edit:
        """Return the edit of the source that `changed` corresponds to."""
        return Edit(self.span(start, end), replacement)


class ReadingBuilder(SyntaxBuilder):
    """Builds the syntax of a reading."""

    reading: Reading

    def _span(self, first: Any, last: Any = None) -> Span:
        last = first if last is None else last
        starts, ends = self.reading.starts, self.reading.ends
        start = starts[first.start_pos or 0] if isinstance(first, Token) else first.span[1]
        end = ends[max(0, (last.end_pos or 1) - 1)] if isinstance(last, Token) else last.span[2]
        return Span(self.source, start, max(start, end))
