"""Specs read as if their new texts were on the disk already.

In: files with texts. Out: the findings in them. If a file uses another one of them, that is read with its new text too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archspec.api import read
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.source import Source, Span
from archspec.fixes.spec_file import SpecFile
from archspec.library import SUFFIX, Located, load_used
from archspec.resolve import Overrides


class Workspace:
    """Files with their texts, and the findings in them."""

    def __init__(self, files: Sequence[SpecFile], changes: Overrides) -> None:
        self.files, self.changes = tuple(files), changes
        self.sources = {file.path: Source(file.spec, file.text.normal) for file in files}
        self.findings = self._findings()

    def file_of(self, source: Source) -> SpecFile | None:
        """Return the file with this text, if it is one of them."""
        return next((file for file in self.files if self.sources[file.path] is source), None)

    def _findings(self) -> tuple[Diagnostic, ...]:
        found: dict[object, Diagnostic] = {}  # what is wrong in a file that two others use counts once
        for file in self.files:
            for finding in self._findings_in(file):
                place = finding.span and (finding.span.source.name, finding.span.start, finding.span.end)
                found.setdefault((finding.code, finding.message, place), finding)
        return tuple(found.values())

    def _findings_in(self, file: SpecFile) -> tuple[Diagnostic, ...]:
        folder = Path(file.spec).parent

        def find(name: str, span: Span) -> Source:
            source = load_used(name, span, folder)
            return self.sources.get((folder / f"{name}{SUFFIX}").resolve(), source)

        located = Located(Path(file.spec).stem, self.sources[file.path], folder)
        try:
            return read(located, self.changes, find).diagnostics
        except ArchspecError as error:
            return error.diagnostics
