"""Helps applied as they are written: whether the finding is gone, and whether another has come."""

from __future__ import annotations

from archspec.diagnostics.findings import Diagnostic
from benchmarks.helps.trials import Trial, bare, findings_in, trials

__all__ = ["Trial", "findings_in", "trials", "without_edits"]


def without_edits(text: str) -> list[tuple[Diagnostic, str]]:
    """Return the helps of a spec that propose text to paste and carry no edit."""
    return [(finding, text_) for finding in findings_in(text) for text_ in bare(finding)]
