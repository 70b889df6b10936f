"""Lines of a source, for edits that drop or move them.

In: a span. Out: spans of whole lines, and edits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Span
from archspec.language import syntax as s

_INDENT = re.compile(r" *")
_COMMENT = re.compile(r"\s+#.*$")


def indent_of(line: str) -> int:
    """Return the number of spaces before a line's text."""
    found = _INDENT.match(line)
    return found.end() if found else 0


def block_of(span: Span) -> Span:
    """Return the lines of a statement: its own, and those below that are indented further, with the line end."""
    source = span.source
    first = last = span.line
    depth = indent_of(source.line(first))
    for number in range(first + 1, len(source.starts) + 1):
        text = source.line(number)
        if text.strip() and not text.lstrip().startswith("#"):
            if indent_of(text) <= depth:
                break
            last = number
    end = source.starts[last] if last < len(source.starts) else len(source.text)
    return Span(source, source.starts[first - 1], end)


def dropped(span: Span) -> Edit:
    """Return the edit that drops a statement with the lines under it."""
    return Edit(block_of(span), "")


def without_word(words: Sequence[s.Word], place: int) -> Edit:
    """Return the edit that drops one of several words."""
    span = words[place].span
    begin, end = (span.start, words[1].span.start) if place == 0 else (words[place - 1].span.end, span.end)
    return Edit(Span(span.source, begin, end), "")


def is_alone(span: Span) -> bool:
    """Whether nothing but a comment stands beside it on its line."""
    line, column = span.source.position(span.start)
    text = span.source.line(line)
    after = _COMMENT.sub("", text[column - 1 + span.end - span.start :])
    return not text[: column - 1].strip() and not after.strip()


def without_step(span: Span) -> Edit:
    """Return the edit that drops a step: its line if it is alone there, otherwise the step and one arrow."""
    if is_alone(span):
        return dropped(span)
    text = span.source.text
    after = re.compile(r" *(?:->|→) *").match(text, span.end)
    if after:
        return Edit(Span(span.source, span.start, after.end()), "")
    line = span.source.starts[span.line - 1]
    before = re.search(r" *(?:->|→) *$", text[line : span.start])
    return Edit(Span(span.source, line + before.start() if before else span.start, span.end), "")
