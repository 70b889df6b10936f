"""The tree of lines that indentation defines, before the lines themselves are parsed.

In: a source. Out: `Layout` trees and the findings about indentation. The rules:

- A line indented further than the one above belongs to it; blank lines and comments (`#` to the end) are ignored.
- A line that begins under the text after a bracket is at that bracket's level, so brackets form a column.
- `|` opens a branch: the text after it is the first line, and lines indented further than the `|` continue it.
- What belongs to the page around a spec, rather than to the spec, is read over (`mistakes/pasted.py`).
- A `|` indented under a line is a branch of it, and any line indented under `block`, `if`, `else` or `train` belongs to
  it, even at the column of the text after a bracket (4 after `[8] INPUT`).

Parsing line by line keeps INDENT and DEDENT out of the grammar, one bad line from affecting the next, and the memory of
a parse to that of one line.
"""

from __future__ import annotations

import re
from types import ModuleType

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, plural
from archspec.diagnostics.source import Source, Span

DEEPEST = 60
MAX_LINES = 250_000  # that are not blank
_LINE = re.compile(r"(?P<indent>[ \t]*)(?P<text>[^#\n]*)(?:#[^\n]*)?(?:\n|\Z)")
_BRACKET = re.compile(r"\[[^\]\n]*\][ \t]+(?=\S)")
# what may be the beginning of a line of the page around the spec: checked further
_ODD = frozenset(
    "`~<>$/%;\\-*=_•▪◦‣·–—●○■□➢✓−─→⇒⟶➔➜\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\u200b\u200c\u200d\ufeff\u2060"
)
_LISTED = re.compile(r"\d{1,3}[.)] |\|[ :]*-")
_OPENS = re.compile(r"(?:block|if|else|train)\b")


class Unread(Finding):
    """The finding for a whole text, which is not read to its end."""


class TooLong(Unread):
    """The finding for a text that is too long."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__("E009", message, span, helps=("is this a spec? repeats, `3 x block(...)`, keep one short",))


class Noted(Exception):
    """A line that was not read, and whose mistake is noted.

    `is_step`: it is part of the network; `joined`: what it is together with the line above.
    """

    def __init__(self, is_step: bool, joined: object = None) -> None:
        super().__init__(is_step)
        self.is_step, self.joined = is_step, joined


class Layout:
    """A line or a branch, and the lines under it. A branch's own text is its first child."""

    __slots__ = ("children", "is_branch", "span")

    def __init__(self, span: Span, is_branch: bool) -> None:
        self.span = span
        self.is_branch = is_branch
        self.children: list[Layout] = []


class _Level:
    """Lines of one level, and the columns at which the next may begin; the first is `leftmost`."""

    __slots__ = ("columns", "last", "leftmost", "lines", "low")

    def __init__(self, lines: list[Layout], low: int, column: int) -> None:
        self.lines = lines
        self.low = low  # nothing to the left of it belongs here
        self.last = column  # where the last line begins
        self.columns = {column}
        self.leftmost = column

    def takes(self, column: int, hanging: int | None, is_branch: bool) -> bool:
        if column > self.last and (is_branch or (self.lines and _OPENS.match(self.lines[-1].span.text))):
            return False
        return column in self.columns or self.low <= column <= self.leftmost or hanging in self.columns

    def add(self, column: int) -> None:
        self.columns.add(column)
        self.leftmost = min(self.leftmost, column)


class _Tree:
    """The lines of a source, as they are read."""

    __slots__ = ("findings", "levels", "roots", "source", "tab")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.roots: list[Layout] = []
        self.levels: list[_Level] = []
        self.findings: list[Diagnostic] = []
        self.tab = 0  # how wide a tab is; 0 if there are none
        if "\t" in source.text:
            from archspec.language.mistakes import tabs

            self.tab, is_certain = tabs.width(source)
            found = tabs.finding(source, self.tab, is_certain)
            self.findings += [found] if found else []

    def column(self, start: int) -> int:
        """Return the column of an offset, from 0, as an editor shows it."""
        before = self.source.text[self.source.text.rfind("\n", 0, start) + 1 : start]
        return len(before.expandtabs(self.tab))

    def place(self, span: Span, column: int) -> None:
        """Add a line, and collect what is wrong with its indentation."""
        try:
            _place(self, span, column)
        except Finding as finding:
            self.findings.append(finding.diagnostic(span))

    def place_odd(self, span: Span, column: int) -> None:
        """Add a line that begins as none of the notation does, without what belongs to the page around it."""
        from archspec.language.mistakes import pasted

        count, width = pasted.indent(span.text)
        span, column = Span(span.source, span.start + count, span.end), column + width
        skipped = pasted.passed_over(span.text)
        if count == len(span.text) or skipped == len(span.text):
            return
        span = Span(span.source, span.start + skipped, span.end)
        continues = pasted.arrow(span.text)
        above = self.levels[-1].lines[-1:] if self.roots else []  # none where a lone `|` has opened the level
        if (continues or skipped) and above and not _OPENS.match(above[0].span.text):
            span = Span(span.source, span.start + continues, span.end)
            column = min(column, self.levels[-1].last)
        self.place(span, column)


def layout(source: Source, most: int = MAX_LINES) -> tuple[list[Layout], list[Diagnostic]]:
    """Arrange the lines of `source`, up to `most`, in a tree; return it with the findings about indentation.

    Raises TooLong for more lines than that.
    """
    tree = _Tree(source)
    at, end, lines = 0, len(source.text), 0
    while at < end and len(tree.findings) < MAX_SHOWN:
        found = _LINE.match(source.text, at)
        assert found is not None  # the pattern matches any text, up to the end of its line
        at = found.end()
        text = found["text"].rstrip()
        if not text:
            continue
        start = found.start("text")
        span = Span(source, start, start + len(text))
        lines += 1
        if lines > most:
            raise TooLong(f"more than {plural(most, 'line')}", span)
        column = tree.column(start) if tree.tab else len(found["indent"])
        first = text[0]
        if first in _ODD or first == "(" or not first.isascii() or (first in "0123456789|" and _LISTED.match(text)):
            if text.startswith("/*") and "*/" not in text:
                at = max(at, source.text.find("*/", at) + 2)
                span = Span(source, start, max(at, span.end))
            tree.place_odd(span, column)
        else:
            tree.place(span, column)
    return tree.roots, tree.findings


def _indentation() -> ModuleType:
    from archspec.language.mistakes import indentation  # only for wrong specs

    return indentation


def _place(tree: _Tree, span: Span, column: int) -> None:
    """Close the levels that a line at `column` ends, and add the line to its own."""
    text, levels, hanging = span.text, tree.levels, None
    if bracket := _BRACKET.match(text):
        hanging = tree.column(span.start + bracket.end()) if tree.tab else column + bracket.end()
    # a bracket may stand to the left of its level only if it does not begin at the column of another level
    hangs = None if any(column in level.columns for level in levels) else hanging
    closed = 0
    while closed < len(levels) and not levels[-1 - closed].takes(column, hangs, text[0] == "|"):
        if column > levels[-1 - closed].leftmost:
            break
        closed += 1
    if closed == len(levels) > 0:
        raise _unlike(tree, span)
    opens = closed < len(levels) and not levels[-1 - closed].takes(column, hangs, text[0] == "|")
    if opens and closed:
        raise _unlike(tree, span)
    del levels[len(levels) - closed :]
    if not levels:
        levels.append(_Level(tree.roots, column, column))
    elif opens:
        _open(levels, span, column)
    level = levels[-1]
    level.add(column)
    level.last = column
    if hanging is not None:
        level.add(hanging)
    if len(levels) > 1 and level.lines and level.lines[-1].is_branch and text[0] != "|":
        branches = len(level.lines)
        level.lines.append(Layout(span, False))  # the lines below it are not reported as well
        raise _indentation().not_a_branch(span, levels[-2].last, branches)
    if text[0] == "|":
        _open_branch(tree, span, column)
    else:
        level.lines.append(Layout(span, False))


def _open(levels: list[_Level], span: Span, column: int) -> None:
    """Open a level for the lines under the last one."""
    if len(levels) >= DEEPEST:
        raise _indentation().too_deep(span, DEEPEST)
    if levels[-1].lines:
        levels.append(_Level(levels[-1].lines[-1].children, column, column))


def _unlike(tree: _Tree, span: Span) -> Finding:
    """Return the finding for a line at a column where no level begins."""
    found: Finding = _indentation().unlike(span, [level.last for level in tree.levels])
    return found


def _open_branch(tree: _Tree, span: Span, column: int) -> None:
    text, levels = span.text, tree.levels
    bar = Span(span.source, span.start, span.start + 1)
    at = len(text) - len(text[1:].lstrip(" \t"))
    if at == len(text):
        raise _indentation().empty_branch(bar)
    if len(levels) >= DEEPEST:
        raise _indentation().too_deep(span, DEEPEST)
    branch = Layout(bar, True)
    levels[-1].lines.append(branch)
    inner = tree.column(span.start + at) if tree.tab else column + at
    levels.append(_Level(branch.children, column + 1, inner))
    _place_first(levels, Span(span.source, span.start + at, span.end), inner)


def _place_first(levels: list[_Level], span: Span, column: int) -> None:
    """Add the text after a `|` as the first line of its level."""
    if span.text[0] == "|":
        raise _indentation().double_branch(span)
    bracket = _BRACKET.match(span.text)
    if bracket:
        levels[-1].add(column + bracket.end())
    levels[-1].lines.append(Layout(span, False))
