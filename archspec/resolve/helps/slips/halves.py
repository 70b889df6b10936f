"""An expression that is not a whole number, `C/2` of an odd C: what is odd, and the same rounding wherever it stands.

In: the expression, and the values of names. Out: a note, and helps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s

_NEXT = re.compile(r"\n(?=[^\s#])")  # a line that is not indented


def notes(value: s.Expression, lookup: Callable[[s.Name], Any]) -> tuple[str, ...]:
    """Return the note for the number that is divided."""
    if not isinstance(value, s.Binary) or value.operator != "/" or not isinstance(value.left, s.Name):
        return ()
    number = lookup(value.left)
    odd = ", which is odd" if isinstance(value.right, s.Number) and value.right.value == 2 else ""
    return (f"`{value.left.name}` is {number}{odd}",)


def rounded(value: s.Expression, way: str) -> Help:
    """Return the help that rounds an expression wherever its block has it; a number is written as rounded."""
    if isinstance(value, s.Number):
        new = str(int(value.value) + (way == "ceil"))
        return Help(f"`{new}`", Edit(value.span, new))
    new = f"{way}({value.span.text})"
    others = _others(value.span)
    text = f"`{new}`" + (f", here and in {len(others)} other place{'s'[: len(others) > 1]}" if others else "")
    return Help(text, Edit(value.span, new), *(Edit(one, new) for one in others))


def _others(span: Span) -> list[Span]:
    """Return the other places of the same text in the block around it, comments apart."""
    text = span.source.text
    starts = [0, *(found.end() for found in _NEXT.finditer(text, 0, span.start))]
    following = _NEXT.search(text, span.end)
    if not text.startswith("block", starts[-1]):
        return []
    same = re.compile(rf"(?<![\w.*/+(@-]){re.escape(span.text)}(?![\w.*/+)])")
    found = same.finditer(text, starts[-1], following.start() if following else len(text))
    places = [Span(span.source, one.start(), one.end()) for one in found]
    return [
        one for one in places if one.start != span.start and "#" not in text[text.rfind("\n", 0, one.start) : one.start]
    ]
