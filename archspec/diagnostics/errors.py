"""Findings on their way to the user, as exceptions.

In: what a rule or a command noticed. Out: `Finding`, which the stage around it collects before it goes on;
`ArchspecError`, which ends the work with all that was found.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.findings import Diagnostic, Label
from archspec.diagnostics.source import Span


class ArchspecError(Exception):
    """Why a command or a call cannot do its work; `diagnostics` holds every finding, errors and warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from archspec.diagnostics.rendering import render  # only when somebody prints it

        return "\n".join(render(diagnostic) for diagnostic in self.diagnostics)


def failure(
    code: str,
    message: str,
    labels: tuple[Label, ...] = (),
    notes: Iterable[str] = (),
    helps: Iterable[str] = (),
) -> ArchspecError:
    """The error of a single finding: `raise failure("E434", "CUDA cannot be used", helps=("`--device cpu`",))`."""
    return ArchspecError([Diagnostic(code, message, labels, tuple(notes), tuple(helps))])


class Finding(Exception):
    """One finding on its way from the rule that noticed it to the stage that collects it."""

    def __init__(  # noqa: PLR0913  # the parts of a diagnostic, by name
        self,
        code: str,
        message: str,
        span: Span | None = None,
        label: str = "",
        *,
        others: Iterable[Label] = (),
        notes: Iterable[str] = (),
        helps: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.label = code, message, span, label
        self.others, self.notes, self.helps = tuple(others), tuple(notes), tuple(helps)

    def diagnostic(self, fallback: Span, extra: Iterable[str] = ()) -> Diagnostic:
        """The finding as data; a rule that knows no place leaves it to the stage, in `fallback`."""
        first = Label(self.span or fallback, self.label)
        return Diagnostic(self.code, self.message, (first, *self.others), (*self.notes, *extra), self.helps)
