"""Edits applied to the text of a source.

In: a source, and edits of it. Out: the new text. Nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Source


def applied(source: Source, edits: Iterable[Edit]) -> str:
    """Return the text of a source with edits applied.

    Raises ValueError for edits of another source, and for edits that overlap.
    """
    parts: list[str] = []
    at = 0
    for edit in sorted(set(edits), key=lambda edit: (edit.at.start, edit.at.end)):
        if edit.at.source is not source or edit.at.start < at:
            raise ValueError(f"the edit {edit} is of another source, or overlaps the one before")
        parts += [source.text[at : edit.at.start], edit.replacement]
        at = edit.at.end
    return "".join([*parts, source.text[at:]])
