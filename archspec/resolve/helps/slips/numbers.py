"""Numbers that are not written as numbers: with spaces, with a decimal comma, with letters of a scan.

In: where an argument stands. Out: the finding, with the number as its help.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span

# `1,024`; `4 096` and `0,5`, as they are written outside of English
_SPLIT_NUMBER = re.compile(r"[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f]\d{3})+|[1-9]\d{0,2}(?:,\d{3})+|0,\d+")


def split(first: Span, last: Span) -> Finding | None:
    """Return the finding for a number with a space or a decimal comma in it."""
    span = Span(last.source, first.start, last.end)
    if not _SPLIT_NUMBER.fullmatch(span.text):
        return None
    number = span.text.replace(",", "." if span.text.startswith("0") else "")
    number = re.sub(r"\s", "", number)
    helps = (Help(f"`{number}`", Edit(span, number)),)
    return Finding("E106", f"`{span.text}` is two numbers", span, "one number?", helps=helps)


def scanned(span: Span) -> Finding | None:
    """Return the finding for a number that a scan has read as letters: `l6`, `1O`."""
    text = span.source.text
    start = span.start - len(text[: span.start]) + len(text[: span.start].rstrip("0123456789"))
    whole = Span(span.source, start, span.end)
    number = re.sub("O", "0", re.sub("[lI]", "1", whole.text))
    if number == whole.text or not re.fullmatch(r"(?:[spgd])?\d+(?:x\d+)?", number):
        return None
    helps = (Help(f"`{number}`", Edit(whole, number)),)
    return Finding("E101", f"`{whole.text}` has letters for digits", whole, "not a number", helps=helps)
