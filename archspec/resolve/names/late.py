"""Findings whose notes are worked out only if they are shown: a spec may have a hundred thousand.

In: functions that work out notes and helps. Out: a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.source import Span


class LateFinding(Finding):
    """A finding with notes that take time, as its helps do."""

    def __init__(  # noqa: PLR0913  # the parts of a finding
        self,
        code: str,
        message: str,
        span: Span,
        label: str,
        *,
        notes: Callable[[], Iterable[str]],
        helps: Callable[[], Iterable[str]],
    ) -> None:
        super().__init__(code, message, span, label, helps=helps)
        self._late_notes = notes

    def diagnostic(self, fallback: Span, extra: Iterable[str] = ()) -> Diagnostic:
        """Return the finding as data, with its notes."""
        self.notes = tuple(self._late_notes())
        return super().diagnostic(fallback, extra)
