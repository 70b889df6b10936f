"""Findings as data: what is wrong, where, why, and how to fix it.

In: a problem that a stage of the compiler detected. Out: `Diagnostic` records, which `rendering.py` prints and `--json`
lists. A code is a letter and three digits: E0 syntax, E1 names and arguments, E2 volumes, E3 claims, E4 back end; W
likewise for warnings. `codes.py` explains each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from archspec.diagnostics.source import Span
from archspec.record import Record

MAX_SHOWN = 50  # findings that are printed; the others are counted


class Label(Record):
    """A span that a finding points at, with a short text to print under it."""

    span: Span
    text: str = ""


class Edit(Record):
    """A change of a source: `replacement` takes the place of the text `at`; an empty span inserts."""

    at: Span
    replacement: str

    def to_dict(self) -> dict[str, object]:
        """Return the edit as `--json` prints it; the end is exclusive, lines and columns count from 1."""
        places = {}
        for name, offset in (("start", self.at.start), ("end", self.at.end)):
            line, column = self.at.source.position(offset)
            places[name] = {"line": line, "column": column, "offset": offset}
        return {"file": self.at.source.name, **places, "replacement": self.replacement}


class Help(str):
    """What to write instead, with the edits that do it; a help that is a plain `str` only advises.

    `is_safe`: nothing else can be meant, so `archspec check --fix` applies it.
    """

    edits: tuple[Edit, ...]
    is_safe: bool

    def __new__(cls, text: str, *edits: Edit, is_safe: bool = False) -> Help:
        """Return a help; all edits together are one fix."""
        new = super().__new__(cls, text)
        new.edits, new.is_safe = edits, is_safe
        return new

    def to_dict(self) -> dict[str, object]:
        """Return the help as a fix of `--json`."""
        return {"help": printable(self), "safe": self.is_safe, "edits": [edit.to_dict() for edit in self.edits]}


class Diagnostic(Record):
    """One finding.

    `labels[0]` is the wrong place; the others are related places. `notes` explain (a formula, the calls around it, what
    names exist), `helps` say what to write instead: one that proposes text is a `Help` with its edits.
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
    def fixes(self) -> tuple[Help, ...]:
        """The helps that carry edits."""
        return tuple(text for text in self.helps if isinstance(text, Help))

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
            "fixes": [fix.to_dict() for fix in self.fixes],
        }


def omission(findings: Sequence[Diagnostic]) -> tuple[str, ...]:
    """Return a line that counts the findings beyond those that are shown, if there are any."""
    rest = [finding.severity for finding in findings[MAX_SHOWN:]]
    counts = [plural(rest.count(noun), f"more {noun}") for noun in ("error", "warning") if noun in rest]
    return (f"... and {' and '.join(counts)}\n",) if counts else ()


def listed(findings: Sequence[Diagnostic]) -> dict[str, object]:
    """Return findings as `--json` prints them: the first ones, and the number of the others."""
    return {
        "diagnostics": [finding.to_dict() for finding in findings[:MAX_SHOWN]],
        "omitted": max(0, len(findings) - MAX_SHOWN),
    }


def suggest(wrong: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name most similar to `wrong`, if one is similar enough, in any case.

    >>> suggest("CONVV", ["CONV", "POOL"])
    'CONV'
    """
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def did_you_mean(wrong: str, known: Iterable[str], span: Span | None = None) -> tuple[str, ...]:
    """Return a hint for a misspelt name, or no hint if no known name is similar; `span` is where it is written."""
    near = suggest(wrong, known)
    if near is None:
        return ()
    text = f"did you mean `{near}`?"
    if span is None:
        return (text,)
    from archspec.diagnostics.spelling import is_slip  # seldom needed

    return (Help(text, Edit(span, near), is_safe=is_slip(wrong, near)),)


def misspelt(wrong: str, known: Iterable[str], span: Span) -> tuple[Help, ...]:
    """Return a help for a misspelt name, if only one known name is as near."""
    from archspec.diagnostics.spelling import is_slip, nearest  # seldom needed

    near = nearest(wrong, known)
    return (Help(f"did you mean `{near}`?", Edit(span, near), is_safe=is_slip(wrong, near)),) if near else ()


def printable(text: str) -> str:
    """Return a text that may quote a file, with its unprintable characters replaced, one for one."""
    if text.isprintable():
        return text
    text = text.replace("\t", "\N{RIGHTWARDS ARROW TO BAR}")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def plural(number: int, noun: str) -> str:
    """Return `1 layer`, `2 layers`, `1,234 classes`."""
    ending = "es" if noun.endswith(("s", "x", "nch")) else "s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{ending}"


def named(names: Sequence[str], most: int) -> str:
    """Return `a`, `b` and how many more there are."""
    first = ", ".join(f"`{name}`" for name in names[:most])
    return f"{first} and {len(names) - most:,} more" if len(names) > most else first


def shown(value: object) -> str:
    """Return the beginning of a value from a file, for a message."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists in lists
        return f"{type(value).__name__} too large to show"
    return text if len(text) <= 40 else f"{text[:37]}..."
