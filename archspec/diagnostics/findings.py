"""Findings as data: what is wrong, where, why, and how to fix it.

In: a problem that a stage of the compiler detected. Out: `Diagnostic` records, which `rendering.py` prints and `--json`
lists. A code is a letter and three digits: E0 syntax, E1 names and arguments, E2 volumes, E3 claims, E4 back end; W
likewise for warnings. `codes.py` explains each.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from archspec.diagnostics.source import Span
from archspec.record import Record


class Label(Record):
    """A span that a finding points at, with a short text to print under it."""

    span: Span
    text: str = ""


class Diagnostic(Record):
    """One finding.

    `labels[0]` is the wrong place; the others are related places. `notes` explain (a formula, the calls around it),
    `helps` say what to write instead.
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return "warning" if self.code.startswith("W") else "error"

    @property
    def span(self) -> Span | None:
        """The wrong place, if any."""
        return self.labels[0].span if self.labels else None

    def to_dict(self) -> dict[str, object]:
        """Return the finding as `--json` prints it."""
        places = []
        for label in self.labels:
            line, column = label.span.source.position(label.span.start)
            text = printable(label.text)
            places.append({"file": label.span.source.name, "line": line, "column": column, "text": text})
        return {
            "code": self.code,
            "severity": self.severity,
            "message": printable(self.message),
            "places": places,
            "notes": list(map(printable, self.notes)),
            "helps": list(map(printable, self.helps)),
        }


def suggest(wrong: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name most similar to `wrong`, if one is similar enough, in any case.

    >>> suggest("CONVV", ["CONV", "POOL"])
    'CONV'
    """
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def did_you_mean(wrong: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return a hint for a misspelt name, or no hint if no known name is similar."""
    near = suggest(wrong, known)
    return (f"did you mean `{near}`?",) if near else ()


def printable(text: str) -> str:
    """Return a text that may quote a file, with its unprintable characters replaced, one for one."""
    if text.isprintable():
        return text
    text = text.replace("\t", "\N{RIGHTWARDS ARROW TO BAR}")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def plural(number: int, noun: str) -> str:
    """Return `1 layer`, `2 layers`, `1,234 classes`."""
    ending = "es" if noun.endswith(("s", "nch")) else "s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{ending}"


def shown(value: object) -> str:
    """Return the beginning of a value from a file, for a message."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists in lists
        return f"{type(value).__name__} too large to show"
    return text if len(text) <= 40 else f"{text[:37]}..."
