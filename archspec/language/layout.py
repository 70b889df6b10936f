"""The tree of lines that indentation defines, before the lines themselves are parsed.

In: a source. Out: `Layout` trees and the findings about indentation. The rules:

- A line indented further than the one above belongs to it; blank lines and comments (`#` to the end) are ignored.
- A line that begins under the text after a bracket is at that bracket's level, so brackets form a column.
- `|` opens a branch: the text after it is the first line, and lines indented further than the `|` continue it.
- A `|` indented under a line is a branch of it, and any line indented under `block`, `if`, `else` or `train` belongs to
  it, even at the column of the text after a bracket (4 after `[8] INPUT`).

Parsing line by line keeps INDENT and DEDENT out of the grammar, one bad line from affecting the next, and the memory of
a parse to that of one line.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, plural
from archspec.diagnostics.source import Source, Span

DEEPEST = 60
MAX_LINES = 250_000  # that are not blank
_LINE = re.compile(r"(?P<indent>[ \t]*)(?P<text>[^#\n]*)(?:#[^\n]*)?(?:\n|\Z)")
_BRACKET = re.compile(r"\[[^\]\n]*\] +(?=\S)")
_OPENS = re.compile(r"(?:block|if|else|train)\b")


class TooLong(Finding):
    """The finding for a text that is too long, which is not read to its end."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__("E009", message, span, helps=("is this a spec? repeats, `3 x block(...)`, keep one short",))


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


def layout(source: Source, most: int = MAX_LINES) -> tuple[list[Layout], list[Diagnostic]]:
    """Arrange the lines of `source`, up to `most`, in a tree; return it with the findings about indentation.

    Raises TooLong for more lines than that.
    """
    roots: list[Layout] = []
    levels: list[_Level] = []
    findings: list[Diagnostic] = []
    at, end, lines = 0, len(source.text), 0
    while at < end and len(findings) < MAX_SHOWN:
        found = _LINE.match(source.text, at)
        assert found is not None  # the pattern matches any text, up to the end of its line
        at = found.end()
        indent, text = found["indent"], found["text"].rstrip()
        if not text:
            continue
        start = found.start("text")
        span = Span(source, start, start + len(text))
        lines += 1
        if lines > most:
            raise TooLong(f"more than {plural(most, 'line')}", span)
        try:
            if "\t" in indent:
                raise _tab(source, found.start() + indent.index("\t"))
            _place(roots, levels, span, len(indent))
        except Finding as finding:
            findings.append(finding.diagnostic(span))
    return roots, findings


def _place(roots: list[Layout], levels: list[_Level], span: Span, column: int) -> None:
    """Close the levels that a line at `column` ends, and add the line to its own."""
    text = span.text
    bracket = _BRACKET.match(text)
    hanging = column + bracket.end() if bracket else None
    # a bracket may stand to the left of its level only if it does not begin at the column of another level
    hangs = None if any(column in level.columns for level in levels) else hanging
    closed = 0
    while closed < len(levels) and not levels[-1 - closed].takes(column, hangs, text[0] == "|"):
        if column > levels[-1 - closed].leftmost:
            break
        closed += 1
    if closed == len(levels) > 0:
        raise _unlike(span)
    del levels[len(levels) - closed :]
    if not levels:
        levels.append(_Level(roots, column, column))
    elif not levels[-1].takes(column, hangs, text[0] == "|"):
        if closed:
            raise _unlike(span)
        if len(levels) >= DEEPEST:
            raise _too_deep(span)
        if levels[-1].lines:
            levels.append(_Level(levels[-1].lines[-1].children, column, column))
    level = levels[-1]
    level.add(column)
    level.last = column
    if hanging is not None:
        level.add(hanging)
    if level.lines and level.lines[-1].is_branch and text[0] != "|":
        raise _not_a_branch(span)
    if text[0] == "|":
        _open_branch(levels, span, column)
    else:
        level.lines.append(Layout(span, False))


def _open_branch(levels: list[_Level], span: Span, column: int) -> None:
    text = span.text
    bar = Span(span.source, span.start, span.start + 1)
    at = len(text) - len(text[1:].lstrip(" "))
    if at == len(text):
        helps = ("`| x` is a branch that passes its input through",)
        raise Finding("E007", "nothing after `|`", bar, "empty branch", helps=helps)
    if len(levels) >= DEEPEST:
        raise _too_deep(span)
    branch = Layout(bar, True)
    levels[-1].lines.append(branch)
    levels.append(_Level(branch.children, column + 1, column + at))
    _place_first(levels, Span(span.source, span.start + at, span.end), column + at)


def _place_first(levels: list[_Level], span: Span, column: int) -> None:
    """Add the text after a `|` as the first line of its level."""
    if span.text[0] == "|":
        raise Finding("E007", "nothing between `|` and `|`", span, "a nested branch needs its own merge")
    bracket = _BRACKET.match(span.text)
    if bracket:
        levels[-1].add(column + bracket.end())
    levels[-1].lines.append(Layout(span, False))


def _too_deep(span: Span) -> Finding:
    helps = ("move the inner lines into a block: `block name()`",)
    return Finding("E004", f"lines nested more than {DEEPEST} levels deep", span, "too deep", helps=helps)


def _tab(source: Source, at: int) -> Finding:
    helps = ("indent with spaces: the width of a tab differs between editors",)
    return Finding("E003", "a tab in the indentation", Span(source, at, at + 1), "this is a tab", helps=helps)


def _unlike(span: Span) -> Finding:
    column = span.source.position(span.start)[1]
    helps = ("align it with the line whose level it belongs to",)
    message = f"no level begins at column {column}"
    return Finding("E004", message, span, "matches no line above", helps=helps)


def _not_a_branch(span: Span) -> Finding:
    helps = ("begin it with `| `, indent it to continue the branch above, or align it with the merge to follow it",)
    return Finding("E004", "a line among branches that does not begin with `|`", span, "not a branch", helps=helps)
