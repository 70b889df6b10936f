"""Tabs: how wide they must be, and one finding for all of a file.

In: a source with tabs. Out: the width that makes its lines a tree, and the finding, whose edit writes spaces.
"""

from __future__ import annotations

import re

from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label, plural
from archspec.diagnostics.source import Source, Span

_LINE = re.compile(r"^([ \t]*)([^#\n]*)", re.MULTILINE)
WIDTHS = (4, 8, 2)


def width(source: Source) -> tuple[int, bool]:
    """Return the width of a tab in a source, and whether no other width could be meant."""
    indents = [found[1] for found in _LINE.finditer(source.text) if found[2].strip() and found[1]]
    if not any("\t" in indent for indent in indents):
        return 8, True
    mixed = [indent for indent in indents if " " in indent]
    if not mixed:
        return WIDTHS[0], True
    pure = {len(indent) for indent in indents if "\t" not in indent}
    for wide in WIDTHS:
        if pure and {len(indent.expandtabs(wide)) for indent in indents if "\t" in indent} <= pure:
            return wide, True
    return WIDTHS[0] if pure & {4, 12} or not pure & {8} else WIDTHS[1], False


def finding(source: Source, wide: int, is_certain: bool) -> Diagnostic | None:
    """Return the finding for the tabs of a source, if there are any outside comments."""
    edits: list[Edit] = []
    first: Span | None = None
    for found in _LINE.finditer(source.text):
        text = found[0].rstrip()
        if "\t" not in text:
            continue
        at = found.start() + text.index("\t")
        first = first or Span(source, at, at + 1)
        end = found.start() + text.rindex("\t") + 1
        before = source.text[found.start() : at].expandtabs(wide)
        whole = source.text[found.start() : end].expandtabs(wide)
        edits.append(Edit(Span(source, at, end), whole[len(before) :]))
    if first is None:
        return None
    start = source.text.rfind("\n", 0, first.start) + 1
    where = "in the indentation" if not source.text[start : first.start].strip() else "between words"
    notes: tuple[str, ...] = ("the width of a tab differs between editors",)
    notes += (f"{plural(len(edits), 'line')} have tabs",) if len(edits) > 1 else ()
    help_ = Help(f"replace the tabs by spaces, {wide} columns each", *edits, is_safe=is_certain)
    return Diagnostic("E003", f"a tab {where}", (Label(first, "this is a tab"),), notes, (help_,))
