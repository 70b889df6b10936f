"""Findings as data: what is wrong, where, why, and what to do.

In: what a stage of the compiler noticed. Out: `Diagnostic` records, which `render.py` prints and `--json` lists.
A code is a letter and three digits: E0 syntax, E1 names and arguments, E2 volumes, E3 claims, E4 back end; W
likewise for warnings. `codes.py` holds the long form of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from archspec.diagnostics.source import Span
from archspec.record import Record


class Label(Record):
    """A place that a finding points at, with the few words written under it."""

    span: Span
    text: str = ""


class Diagnostic(Record):
    """One finding.

    `labels[0]` is the place that is wrong; the others are places it came from. `notes` explain (a formula, an
    instance trace), `helps` say what to write instead.
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
        """The place that is wrong, where there is one."""
        return self.labels[0].span if self.labels else None

    def to_dict(self) -> dict[str, object]:
        """The finding as `--json` gives it."""
        places = []
        for label in self.labels:
            line, column = label.span.source.position(label.span.start)
            places.append({"file": label.span.source.name, "line": line, "column": column, "text": label.text})
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "places": places,
            "notes": list(self.notes),
            "helps": list(self.helps),
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
    """The hint for a misspelt name, or nothing where no known name is near."""
    near = suggest(wrong, known)
    return (f"did you mean `{near}`?",) if near else ()


def plural(number: int, noun: str) -> str:
    """`1 layer`, `2 layers`, `1,234 layers`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
