"""Helps applied as they are written: whether the finding is gone, and whether another has come.

In: the text of a spec. Out: a `Trial` for each help that carries edits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import archspec
from archspec.diagnostics.edits import applied
from archspec.diagnostics.findings import Diagnostic, Help


class Trial(NamedTuple):
    """A help of a finding, the text after its edits, and the findings in that text that are new."""

    finding: Diagnostic
    help: Help
    text: str
    is_gone: bool
    new: tuple[Diagnostic, ...]

    @property
    def works(self) -> bool:
        """Whether the finding is gone and no other has come."""
        return self.is_gone and not self.new


@lru_cache(maxsize=1000)  # the text before is that of every trial
def findings_in(text: str) -> tuple[Diagnostic, ...]:
    """Return all findings in the text of a spec."""
    try:
        return archspec.loads(text).diagnostics
    except archspec.ArchspecError as error:
        return error.diagnostics


def trials(text: str, before: tuple[Diagnostic, ...] | None = None) -> Iterator[Trial]:
    """Apply every help with edits, one at a time, to a spec; `before` are the findings in it, if they are known."""
    before = findings_in(text) if before is None else before
    for finding in before:
        for fix in finding.fixes:
            if fix.edits[0].at.source.text == text:  # an edit of a used file is not tried
                yield _trial(before, finding, fix)


def _trial(before: tuple[Diagnostic, ...], finding: Diagnostic, fix: Help) -> Trial:
    source = fix.edits[0].at.source
    after = applied(source, fix.edits)
    found = findings_in(after)
    key = _key(finding)
    is_gone = _count(found)[key] < _count(before)[key]
    surplus = _count(found) - _count(before)
    return Trial(finding, fix, after, is_gone, tuple(one for one in found if _key(one) in surplus))


def _key(finding: Diagnostic) -> tuple[str, str]:
    return finding.code, finding.message


def _count(findings: Iterable[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter(map(_key, findings))


def bare(finding: Diagnostic) -> tuple[str, ...]:
    """Return the helps that quote text to paste and carry no edit; flags are for the command line."""
    return tuple(text for text in finding.helps if "`" in text and not isinstance(text, Help) and "`--" not in text)
