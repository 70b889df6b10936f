"""Findings as text, with the source lines they refer to."""

from __future__ import annotations

from collections.abc import Callable

from archspec.diagnostics.findings import Diagnostic, Label, printable
from archspec.diagnostics.source import Source

LONGEST_LINE, SHORTEST_LINE = 160, 20
INDENT = 4  # of a message's second line
LONGEST_TEXT = 600
WIDTH = 100
Style = Callable[[str, str], str]


def plain(text: str, role: str) -> str:  # noqa: ARG001  # a style is told the role
    """Return the text unchanged."""
    return text


COLOURS = {"error": "1;31", "warning": "1;33", "place": "1;34", "help": "1;32", "note": "1"}


def coloured(text: str, role: str) -> str:
    """Return the text in the ANSI colour of its role."""
    return f"\x1b[{COLOURS[role]}m{text}\x1b[0m"


def render(diagnostic: Diagnostic, style: Style = plain, columns: int | None = None) -> str:
    """Return the finding as a few lines of text, ending with a newline.

    Without a terminal, whose `columns` everything fits into, a message and a source line stay on one line.
    """
    name = f"{diagnostic.severity}[{diagnostic.code}]"
    head, indent = f"{style(name, diagnostic.severity)}: ", len(name) + 2
    message = _shortened(diagnostic.message)
    lines = wrapped(head, message, min(indent, INDENT), columns, indent) if columns else [head + message]
    gutter = _gutter_width(diagnostic.labels)
    longest = max(SHORTEST_LINE, columns - gutter - 4) if columns else LONGEST_LINE
    rule = style(" " * gutter + " |", "place")
    for source, labels in _by_source(diagnostic.labels).items():
        line, column = source.position(labels[0].span.start)
        lines.append(f"{style(' ' * gutter + '-->', 'place')} {printable(source.name)}:{line}:{column}")
        lines.append(rule)
        lines += _snippet(source, labels, diagnostic, style, longest)
    if diagnostic.labels and (diagnostic.notes or diagnostic.helps):
        lines.append(rule)
    equals = style(" " * gutter + " =", "place")
    for note in diagnostic.notes:
        lines += wrapped(f"{equals} ", _shortened(note), gutter + 3, columns or WIDTH)
    for text in diagnostic.helps:
        lines += wrapped(f"{equals} {style('help', 'help')}: ", _shortened(text), gutter + 9, columns or WIDTH)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def wrapped(lead: str, text: str, indent: int, width: int, first: int | None = None) -> list[str]:
    """Return the lines of a text after its lead, which takes `first` columns; the others are indented.

    What is quoted stays on one line, so that it can be copied.
    """
    used = indent if first is None else first
    if used + len(text) <= width:
        return [lead + text]
    from textwrap import wrap  # seldom needed

    parts = text.split("`")
    parts[1::2] = [quoted.replace(" ", "\1") for quoted in parts[1::2]]
    filled = "\0" * used + "`".join(parts)  # as wide as the lead on the screen
    lines = wrap(filled, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)
    return [line.replace("\1", " ") for line in (lead + lines[0].lstrip("\0"), *lines[1:])]


def _shortened(text: str) -> str:
    """Return a text that may quote user input: printable, and shortened in the middle if it is very long."""
    text = printable(text)
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT // 2]} ... {text[-LONGEST_TEXT // 2 :]}"


def _gutter_width(labels: tuple[Label, ...]) -> int:
    return max((len(str(label.span.line)) for label in labels), default=0)


def _by_source(labels: tuple[Label, ...]) -> dict[Source, list[Label]]:
    grouped: dict[Source, list[Label]] = {}
    for label in labels:
        grouped.setdefault(label.span.source, []).append(label)
    return grouped


def _snippet(source: Source, labels: list[Label], diagnostic: Diagnostic, style: Style, longest: int) -> list[str]:
    lines: list[str] = []
    gutter = _gutter_width(diagnostic.labels)
    previous: int | None = None
    for label in sorted(labels, key=lambda label: label.span.start):
        number, column = source.position(label.span.start)
        text, column = _clip(source.line(number), column, longest)
        if previous is not None and number > previous + 1:
            lines.append(style(" " * gutter + "...", "place"))
        if number != previous:
            lines.append(f"{style(f'{number:>{gutter}} |', 'place')} {text}")
        previous = number
        width = max(1, min(label.span.end - label.span.start, len(text) - column + 1))
        primary = label is diagnostic.labels[0]
        mark = ("^" if primary else "-") * width
        role = diagnostic.severity if primary else "place"
        rule = style(" " * gutter + " |", "place")
        for indent, shown in _marked(column - 1, mark, printable(label.text), longest):
            lines.append(f"{rule} {' ' * indent}{style(shown, role)}")
    return lines


def _marked(column: int, mark: str, text: str, longest: int) -> list[tuple[int, str]]:
    """Return the mark and its text with their columns: side by side if there is room, or else on two lines."""
    if column + len(mark) + 1 + len(text) <= longest or longest == LONGEST_LINE:
        return [(column, f"{mark} {text}".rstrip())]
    return [(column, mark), (max(0, min(column, longest - len(text))), text)]


def _clip(text: str, column: int, longest: int) -> tuple[str, int]:
    """Return the printable part of a long line around `column`, and the column in it."""
    text = printable(text)
    if len(text) <= longest:
        return text, column
    start = max(0, column - longest // 2)
    before = "…" if start else ""
    after = "…" if start + longest < len(text) else ""
    return before + text[start : start + longest] + after, column - start + len(before)
