"""Names that a scope does not have, or has twice: the findings, with what was probably meant.

In: a name, and the names that are known there. Out: findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, Label
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.expressions import FUNCTIONS
from archspec.resolve.names.declared import body_around
from archspec.resolve.names.parts import statements_in
from archspec.resolve.names.renaming import Renaming
from archspec.resolve.names.spelling import misspelt


def undefined(name: s.Name, numbers: list[str], blocks: list[str], file: s.File | None, is_inner: bool) -> Finding:
    """Return the finding for a name without a value; `is_inner`: it is in a block."""
    key = name.name
    known = [*numbers, *blocks]
    notes = ["names in scope: " + ", ".join(known[:12])] if known else []
    outer = [one for one in (file.body if file else ()) if isinstance(one, s.Let) and one.name == key]

    def helps() -> tuple[str, ...]:
        if outer and is_inner:
            return (_as_param(outer[0]),)
        found = misspelt(key, known, name.span)
        if not found and len(numbers) == 1:
            return (Help(f"did you mean `{numbers[0]}`?", Edit(name.span, numbers[0])),)
        return found

    if outer and is_inner:
        notes.append("a block does not see the `let`s outside it")
    return Finding("E101", f"undefined name `{key}`", name.span, "unknown", notes=notes, helps=helps)


def _as_param(let: s.Let) -> Help:
    text = let.span.source.text
    start = text.rindex("let", 0, let.span.start)
    edit = Edit(Span(let.span.source, start, start + 3), "param")
    return Help(f"a parameter is visible in the whole file: `param {let.span.text}`", edit)


def no_result(name: str, span: Span, labels: Iterable[str], is_number: bool, file: s.File | None) -> Finding:
    """Return the finding for a label that no line above has."""
    at = Span(span.source, span.start + 1, span.end)
    known = [label for label in labels if label]
    line = span.source.line(span.line)
    before = line[: span.source.position(span.start)[1] - 1]
    body = body_around(span, file)
    later = [one.span.line for one in statements_in(body) if isinstance(one, s.Chain) and one.label == name]

    def helps() -> tuple[str, ...]:
        if (is_number or name in FUNCTIONS) and before.rfind("(") > before.rfind(")"):
            return (Help(f"a number is written without `@`: `{name}`", Edit(span, name)),)
        found = misspelt(name, known, at)
        if not found and before.strip() == "|":
            return (Help("the input of the merge is `x`", Edit(span, "x")),)
        return found or (() if later else ("put the name and a colon before the line that it names",))

    notes = ["the labels above are " + ", ".join(known[:12])] if known else []
    notes += [f"it is defined on line {later[0]}, below"] if later else []
    if is_number:
        notes.append(f"`{name}` is a number")
    return Finding("E101", f"unknown result `@{name}`", span, "unknown", notes=notes, helps=helps)


def twice(name: str, span: Span, first: Span, noun: str, file: s.File | None) -> Finding:
    """Return the finding for a label or a `let` with a name that is taken."""
    helps = lambda: _renamed(name, span, noun, file)  # noqa: E731
    others = (Label(first, "the first"),)
    return Finding("E109", f"the {noun} `{name}` is given twice", span, "the second", others=others, helps=helps)


def _renamed(name: str, span: Span, noun: str, file: s.File | None) -> tuple[Help, ...]:
    """Give the second another name, also in the lines below it."""
    source = span.source
    stem = name.rstrip("0123456789")
    number = next(n for n in range(2, 10_000) if not re.search(rf"\b{stem}{n}\b", source.text, re.IGNORECASE))
    renaming = Renaming(name, f"{stem}{number}", source)
    if noun == "label":
        start = source.starts[span.line - 1]
        found = re.search(rf"\b{name}(?=:)", source.line(span.line), re.IGNORECASE)
        if found is None:
            return ()
        at = Span(source, start + found.start(), start + found.end())
        new = renaming.new.upper() if found.group().isupper() else renaming.new
        return (Help(f"call it `{new}`", Edit(at, new)),)
    at = Span(source, span.start, span.start + len(name))
    later = [edit for edit in renaming.in_body(body_around(span, file)) if edit.at.start > span.end]
    return (Help(f"call it `{renaming.new}` from here on", Edit(at, renaming.new), *later),)
