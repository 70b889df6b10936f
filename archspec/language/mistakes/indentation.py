"""Findings about indentation: lines at a column where no level begins, and lines among branches.

In: a line, and the columns at which it could begin. Out: a finding, whose helps move the line.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span

MOST_COLUMNS = 5
_TOP = re.compile(r"(?:\[[^\]]*\] *)?(?:\w+: *)?INPUT\b|(?:block|param|variant|net|use|after|train|TOTAL)\b")
_NO_BRANCH = "a line among branches that does not begin with `|`"


def column(span: Span) -> int:
    """Return the column at which the line of a span begins, from 0."""
    text = span.source.line(span.line)
    return len(text) - len(text.lstrip())


def moved_to(span: Span, column: int) -> Edit:
    """Return the edit that lets a line begin at a column, from 0."""
    start = span.start - (span.source.position(span.start)[1] - 1)
    return Edit(Span(span.source, start, span.start), " " * column)


def under_merge(span: Span, deep: int) -> Help:
    """Return the help that indents a branch under its merge, at column `deep`, like the branch on the next line."""
    beside = re.match(r".*\n( +)\|", span.source.text[span.start :])
    column = len(beside[1]) if beside and len(beside[1]) > deep else deep + 4
    return Help("indent it under the merge", moved_to(span, column))


def too_deep(span: Span, most: int) -> Finding:
    """Return the finding for a line at too deep a level."""
    helps = ("move the inner lines into a block",)
    return Finding("E004", f"lines nested more than {most} levels deep", span, "too deep", helps=helps)


def unlike(span: Span, columns: list[int]) -> Finding:
    """Return the finding for a line at a column where no level begins; `columns` are those of the levels above."""
    column = span.source.position(span.start)[1]
    if _TOP.match(span.text):
        columns = [0]
    inner = {other for other in columns if other} or {*columns}  # what is indented is meant to be inside
    near = sorted(inner, key=lambda other: (abs(other - column + 1), -other))[:MOST_COLUMNS]
    helps = [Help(f"align it with the level at column {other + 1}", moved_to(span, other)) for other in near]
    if span.text[0] == "|" and (bare := _branch_above(span, column + 1)):
        before = Span(bare.source, bare.start - 2, bare.start)
        helps.insert(0, Help(f"begin line {bare.line} with `| `", Edit(before, "| ")))
    helps[:0] = _odd_branches(span, column - 1)
    return Finding("E004", f"no level begins at column {column}", span, "matches no line above", helps=helps)


def _branch_above(span: Span, column: int) -> Span | None:
    """Return the line above a branch that begins where its text does, at `column`, without a bar."""
    source, found = span.source, None
    for number in range(span.line - 1, 0, -1):
        text = source.line(number)
        indent = len(text) - len(text.lstrip())
        if not text.strip():
            continue
        if indent < column or text[indent] == "|":
            break
        if indent == column:
            start = source.starts[number - 1] + indent
            found = Span(source, start, start + len(text.strip()))
    return found


def _odd_branches(span: Span, column: int) -> list[Help]:
    """Propose what puts the branches above a line in order: a bar at the margin moved, a missing merge added."""
    source, below = span.source, None
    for number in range(span.line - 1, 0, -1):
        text = source.line(number)
        if not text.strip():
            continue
        indent = len(text) - len(text.lstrip())
        if indent <= column:
            start = source.starts[number - 1]
            if text[indent] == "|" and below is not None and indent < column:
                edit = Edit(Span(source, start, start + indent), " " * below[1])
                return [Help(f"indent line {number} like the branch below it", edit)]
            if below is None or re.search(r"\b(?:add|concat|mul)\s*(?:#.*)?$", text):
                return []
            edit = Edit(Span(source, below[0], below[0]), " " * column + "add\n")
            return [Help("put `add` above the branches", edit)]
        below = (source.starts[number - 1], indent) if text[indent] == "|" else below
    return []


def unexpected(first: Span, column: int, lines: list[Span]) -> Finding:
    """Return the finding for lines indented under one that has nothing under it, at `column`."""
    edits = [moved_to(line, column) for line in lines]
    text = "align it with the line above: every line continues from the previous one"
    help_ = Help(text, *edits, is_safe=True)
    return Finding("E004", "unexpected indentation", first, helps=(help_,))


def not_a_branch(span: Span, merge: int, branches: int) -> Finding:
    """Return the finding for a line among branches; `merge` is the column of their merge."""
    column = span.source.position(span.start)[1] - 1
    begin = Help("begin it with `| `", Edit(Span(span.source, span.start, span.start), "| "))
    if branches < 2:
        return Finding("E004", _NO_BRANCH, span, "not a branch", helps=(begin,))
    helps = (
        begin,
        Help("indent it to continue the branch above", moved_to(span, column + 2)),
        Help("align it with the merge to follow it", moved_to(span, merge)),
    )
    return Finding("E004", _NO_BRANCH, span, "not a branch", helps=helps)


def empty_branch(bar: Span) -> Finding:
    """Return the finding for a branch without steps."""
    helps = (Help("`| x` is a branch that passes its input through", Edit(bar, "| x")),)
    return Finding("E007", "nothing after `|`", bar, "empty branch", helps=helps)


def double_branch(span: Span) -> Finding:
    """Return the finding for `| |`."""
    rest = Span(span.source, span.start, span.start + 1 + len(span.text[1:]) - len(span.text[1:].lstrip()))
    helps = (Help("drop the second `|`: a nested branch needs its own merge", Edit(rest, "")),)
    return Finding("E007", "nothing between `|` and `|`", span, "a nested branch needs its own merge", helps=helps)


def stray_branch(span: Span) -> Finding | None:
    """Return the finding for a branch under a line that is not a merge; None if it is reported with its merge."""
    above = span.source.text[: span.start].rstrip().rpartition("\n")[2].partition("#")[0].rstrip()
    merge_at = len(above) - len(above.lstrip()) if re.search(r"\b(?:add|concat|mul)$", above) else -1
    if merge_at == column(span):
        return None
    rest = len(span.source.text[span.start + 1 :]) - len(span.source.text[span.start + 1 :].lstrip(" "))
    bar = Span(span.source, span.start, span.start + 1 + rest)
    helps = [Help("drop the `|`, if it is not a branch", Edit(bar, ""))]
    left = column(span)
    if merge_at > left:
        helps = [under_merge(span, merge_at)]
    elif (beside := len(above) - len(above.lstrip())) != left and above[beside : beside + 1] == "|":
        helps.insert(0, Help("indent it like the branch above", moved_to(span, beside)))
    elif left > 1:
        start = span.start - (span.source.position(span.start)[1] - 1)
        edit = Edit(Span(span.source, start, start), " " * (left - 2) + "add\n")
        helps.insert(0, Help("put `add` above the branches", edit))
    notes = ("branches belong under a merge: a line that ends with `add`, `concat` or `mul`",)
    return Finding("E005", "a branch without a merge", span, "a branch", notes=notes, helps=helps)
