"""Helps tried out: only those that work are shown.

In: the findings of a spec, and a function that reads a changed spec. Out: the same findings; a help whose edits do not
remove its finding, or bring another, is left out. A finding keeps its first few helps that work, and an input with which
the network fits is named where a volume is wrong. The work is bounded: large specs keep their helps untried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from archspec.diagnostics.edits import applied
from archspec.diagnostics.findings import Diagnostic, Help
from archspec.diagnostics.source import Source
from archspec.record import replace
from archspec.resolve.declarations import Overrides

Again = Callable[[Source, Overrides], Sequence[Diagnostic]]  # the findings of a text, with changes to it
MAX_EDITS = 3  # helps with edits that a finding keeps
MAX_TRIALS = 100
MAX_STEPS_OF_A_TRIAL = 3000
MAX_CHARACTERS = 400_000  # that all trials read together
Key = tuple[str, str]


class Trials:
    """The findings of a spec before and after changes, as long as there is work left to do."""

    def __init__(self, findings: Sequence[Diagnostic], source: Source, changes: Overrides, again: Again) -> None:
        self.source = source
        self.changes = changes
        self.left = min(MAX_TRIALS, MAX_CHARACTERS // (len(source.text) + 1))
        self._again = again
        self._before = count(findings)
        self._known: dict[str, Counter[Key] | None] = {}

    def works(self, finding: Diagnostic, fix: Help) -> bool:
        """Whether the edits of a help remove its finding and bring no other; True if that is not known."""
        if any(edit.at.source is not self.source for edit in fix.edits):
            return True
        try:
            text = applied(self.source, fix.edits)
        except ValueError:
            return False
        if text not in self._known:
            self._known[text] = self._try(text)
        after = self._known[text]
        return after is None or self.is_better(finding, after)

    def is_better(self, finding: Diagnostic, after: Counter[Key]) -> bool:
        """Whether a finding is gone, and no other has come."""
        return after[key(finding)] < self._before[key(finding)] and not after - self._before

    def is_a_step(self, finding: Diagnostic, fix: Help) -> bool:
        """Whether a finding is gone, though others have come."""
        after = self._known.get(applied(self.source, fix.edits))
        return after is not None and after[key(finding)] < self._before[key(finding)]

    def _try(self, text: str) -> Counter[Key] | None:
        if self.left <= 0:
            return None
        self.left -= 1
        findings = self._again(Source(self.source.name, text), self.changes)
        return None if any(finding.code == "E112" for finding in findings) else count(findings)


def proved(findings: Sequence[Diagnostic], source: Source, changes: Overrides, again: Again) -> tuple[Diagnostic, ...]:
    """Return findings with the helps that work."""
    trials = Trials(findings, source, changes, again)
    return tuple(replace(one, helps=_working(one, trials)) if one.fixes else one for one in findings)


def _working(finding: Diagnostic, trials: Trials) -> tuple[str, ...]:
    """Return the helps of a finding without those that do not work."""
    fixes = [fix for fix in dict.fromkeys(finding.fixes)]
    working = [fix for fix in fixes if trials.works(finding, fix)][:MAX_EDITS]
    working = working or [fix for fix in fixes if trials.is_a_step(finding, fix)][:1]
    return tuple(text for text in dict.fromkeys(finding.helps) if not isinstance(text, Help) or text in working)


def key(finding: Diagnostic) -> Key:
    """Return what two findings have in common that say the same."""
    return finding.code, finding.message


def count(findings: Sequence[Diagnostic]) -> Counter[Key]:
    """Return how often each error is found."""
    return Counter(key(finding) for finding in findings if finding.severity == "error")
