"""Findings as exceptions.

In: a problem that a rule or a command detected. Out: `Finding`, which the surrounding stage collects before it
continues; `ArchspecError`, which ends the work with everything that was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Label, omission
from archspec.diagnostics.source import Span


class ArchspecError(Exception):
    """The reason why a command or a call failed; `diagnostics` has all findings, errors and warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from archspec.diagnostics.rendering import render  # only needed when it is printed

        shown = [render(diagnostic) for diagnostic in self.diagnostics[:MAX_SHOWN]]
        return "\n".join([*shown, *omission(self.diagnostics)])


def failure(
    code: str,
    message: str,
    labels: tuple[Label, ...] = (),
    notes: Iterable[str] = (),
    helps: Iterable[str] = (),
) -> ArchspecError:
    """Return an error with one finding: `raise failure("E434", "CUDA cannot be used", helps=("`--device cpu`",))`."""
    return ArchspecError([Diagnostic(code, message, labels, tuple(notes), tuple(helps))])


class Finding(Exception):
    """A finding, raised by the rule that detects it and collected by the stage around it.

    `helps` may be a function: suggestions cost time, and most findings beyond the first few are only counted. Of those
    with the same `once`, what they are about, a spec has one.
    """

    once = ""

    def __init__(  # noqa: PLR0913  # the parts of a diagnostic, by name
        self,
        code: str,
        message: str,
        span: Span | None = None,
        label: str = "",
        *,
        others: Iterable[Label] = (),
        notes: Iterable[str] = (),
        helps: Iterable[str] | Callable[[], Iterable[str]] = (),
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.label = code, message, span, label
        self.others, self.notes = tuple(others), tuple(notes)
        self._helps = helps

    @property
    def helps(self) -> tuple[str, ...]:
        """What to write instead."""
        return tuple(self._helps() if callable(self._helps) else self._helps)

    @helps.setter
    def helps(self, helps: Iterable[str]) -> None:
        self._helps = helps

    def change_helps(self, change: Callable[[tuple[str, ...]], Iterable[str]]) -> None:
        """Put other helps in place of those that it has; both are worked out only if they are shown."""
        before = self._helps
        self._helps = lambda: change(tuple(before() if callable(before) else before))

    def diagnostic(self, fallback: Span, extra: Iterable[str] = ()) -> Diagnostic:
        """Return the finding as data; `fallback` is the span if the rule gave none."""
        first = Label(self.span or fallback, self.label)
        return Diagnostic(self.code, self.message, (first, *self.others), (*self.notes, *extra), self.helps)

    def brief(self, fallback: Span) -> Diagnostic:
        """Return the finding without notes and suggestions, which one that is only counted does not need."""
        return Diagnostic(self.code, self.message, (Label(self.span or fallback, self.label),))


def collect(findings: list[Diagnostic], finding: Finding, fallback: Span) -> None:
    """Append a finding to a list: in full as long as it will be shown."""
    findings.append(finding.diagnostic(fallback) if len(findings) < MAX_SHOWN else finding.brief(fallback))
