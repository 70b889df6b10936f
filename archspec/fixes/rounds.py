"""Safe fixes, chosen and applied in rounds until none is left.

In: files. Out: the files with their new texts, and what changed. A fix is kept if its finding is gone and no error has
come on the lines that it changed. What an error had silenced may appear elsewhere, and is fixed in the next round.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from archspec.diagnostics.findings import Diagnostic, Edit, Help, printable
from archspec.diagnostics.source import Source
from archspec.fixes.spec_file import SpecFile
from archspec.fixes.workspace import Workspace
from archspec.record import Record
from archspec.resolve import Overrides

MAX_ROUNDS = 20
LONGEST = 60  # characters of a text that are shown


class Fix(Record):
    """A safe help of a finding; `file` is where its edits are."""

    finding: Diagnostic
    help: Help
    file: SpecFile


class Change(Record):
    """A fix that was applied, in the words of the text before it; `new` is empty for lines that were dropped."""

    spec: str
    line: int
    old: str
    new: str
    fix: Fix

    def __str__(self) -> str:
        what = f"{self.old} -> {self.new}" if self.new else f"dropped {self.old}"
        return f"{self.spec}:{self.line}: {what} ({self.fix.finding.code})"

    def to_dict(self) -> dict[str, object]:
        """Return the change as `--json` prints it."""
        return {"code": self.fix.finding.code, **self.fix.help.to_dict()}


class FixedFiles(Record):
    """Files with the texts that all safe fixes give, the changes in their order, and how many fixes do not work."""

    files: tuple[SpecFile, ...] = ()
    changes: tuple[Change, ...] = ()
    refused: int = 0


def fix_files(files: Sequence[SpecFile], changes: Overrides | None = None) -> FixedFiles:
    """Apply the safe fixes of files."""
    now = Workspace(files, changes or Overrides())
    done: list[Change] = []
    refused: set[tuple[str, str, str]] = set()
    for _ in range(MAX_ROUNDS):
        chosen = [fix for fix in safe_fixes(now) if _name(fix) not in refused]
        after = _applied(now, chosen)
        if after is None:  # one of them does not work, and perhaps only one
            alone = [fix for fix in chosen if _applied(now, [fix]) is not None]
            refused |= {_name(fix) for fix in chosen if fix not in alone}
            chosen = alone if _applied(now, alone) is not None else alone[:1]
            after = _applied(now, chosen)
        if not chosen or after is None:
            break
        done += [_change(fix) for fix in chosen]
        now = after
    return FixedFiles(now.files, tuple(done), sum(_name(fix) in refused for fix in safe_fixes(now)))


def safe_fixes(workspace: Workspace) -> list[Fix]:
    """Return the first safe help of each finding that edits one of the files; of those that overlap, the first."""
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for finding in workspace.findings:
        fix = next((fix for fix in finding.fixes if fix.is_safe and fix.edits), None)
        file = workspace.file_of(fix.edits[0].at.source) if fix else None
        if fix is None or file is None or any(_overlap(one, other) for one in fix.edits for other in taken):
            continue
        chosen.append(Fix(finding, fix, file))
        taken += fix.edits
    return sorted(chosen, key=lambda one: (one.file.spec, one.help.edits[0].at.start))


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether two edits change the same place, or meet."""
    a, b = one.at, other.at
    return a.source is b.source and a.start <= b.end and b.start <= a.end


def _name(fix: Fix) -> tuple[str, str, str]:
    at = fix.help.edits[0].at
    return fix.finding.code, fix.finding.message, at.source.line(at.line)


def _applied(now: Workspace, fixes: Sequence[Fix]) -> Workspace | None:
    """Return the files after some fixes, or None unless all of them work."""
    if not fixes:
        return None
    edits = [edit for fix in fixes for edit in fix.help.edits]
    files = []
    for file in now.files:
        own = [edit for edit in edits if edit.at.source is now.sources[file.path]]
        files.append(SpecFile(file.spec, file.path, file.data, file.text.edited(own)) if own else file)
    after = Workspace(files, now.changes)
    fixed = Counter(_key(fix.finding) for fix in fixes)
    for file in now.files:
        before, new = now.sources[file.path], after.sources[file.path]
        lines = _lines(fixes, before, new)
        old = Counter(_key(one) for one in now.findings if _line(one, before) in lines)
        found = Counter(
            _key(one) for one in after.findings if _line(one, new) in lines.values() and one.severity == "error"
        )
        if found - (old - fixed):
            return None
    return after


def _lines(fixes: Iterable[Fix], before: Source, after: Source) -> dict[int, int]:
    """Return the lines that fixes change or are about, with their numbers afterwards."""
    places = [edit for fix in fixes for edit in fix.help.edits if edit.at.source is before]
    spans = [fix.finding.span for fix in fixes if fix.finding.span and fix.finding.span.source is before]
    found: dict[int, int] = {}
    for span in (*spans, *(edit.at for edit in places)):
        added = sum(
            edit.replacement.count("\n") - edit.at.text.count("\n") for edit in places if edit.at.start < span.start
        )
        found[span.line] = min(span.line + added, len(after.starts))
    return found


def _line(finding: Diagnostic, source: Source) -> int | None:
    return finding.span.line if finding.span and finding.span.source is source else None


def _key(finding: Diagnostic) -> tuple[str, str]:
    return finding.code, finding.message


def _change(fix: Fix) -> Change:
    """Return what a fix changes, before and after; with the words around it, if it only inserts or removes."""
    edits = sorted(fix.help.edits, key=lambda edit: (edit.at.start, edit.at.end))
    at, start, end = edits[0].at, edits[0].at.start, edits[-1].at.end
    text = at.source.text
    if len(edits) == 1 and not edits[0].replacement and at.text.endswith("\n") and start in at.source.starts:
        return Change(fix.file.spec, at.line, _shown(at.text), "", fix)
    if not all(edit.at.text.strip() and edit.replacement.strip() for edit in edits):
        start -= len(re.search(r"\S*[^\S\n]*\Z", text[:start])[0])  # type: ignore[index]  # it always matches
        end += len(re.match(r"[^\S\n]*\S*", text[end:])[0])  # type: ignore[index]
    new, done = "", start
    for edit in edits:
        new, done = new + text[done : edit.at.start] + edit.replacement, edit.at.end
    old, new = text[start:end], new + text[done:end]
    is_exact = " ".join(old.split()) == " ".join(new.split()) or "\n" in old + new
    return Change(fix.file.spec, at.line, _shown(old, is_exact), _shown(new, is_exact), fix)


def _shown(text: str, is_exact: bool = False) -> str:
    """Return a text on one line, quoted unless it is a single word; if exact, with its spaces, tabs and line ends."""
    text = printable(text.replace("\n", "\\n").replace("\t", "\\t") if is_exact else " ".join(text.split()))
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    return text if re.fullmatch(r"\w+", text) else f"`{text}`"
