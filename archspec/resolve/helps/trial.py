"""Helps tried out: only those that work are shown.

In: the findings of a spec, and a function that reads a changed spec. Out: the same findings; a help whose edits do
not remove its finding, or bring another, is left out. A finding keeps its first few helps that work. Where a volume is
wrong, an input with which the network fits is named; an input in torch's order is the only cause that is reported. The
work is bounded: large specs keep their helps untried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from time import process_time

from archspec.diagnostics.edits import applied
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Source
from archspec.language import syntax as s
from archspec.record import replace
from archspec.resolve.declarations import Overrides
from archspec.resolve.helps.inputs import as_images, input_bracket, other_inputs, reordered, sizes, written

Again = Callable[[Source, Overrides], Sequence[Diagnostic]]  # the findings of a text, with changes to it
Key = tuple[str, str]
MAX_HELPS = 3  # with edits, or flags, that a finding keeps
MAX_TRIALS = 100
MAX_STEPS_OF_A_TRIAL = 3000
MAX_CHARACTERS = 400_000  # that all trials read together
MAX_SECONDS = 1.5  # of the processor, for all trials together: only networks of a thousand layers take as long
_OF_SIZES = ("E201", "E202", "E203", "E204", "E206")


class Trials:
    """The findings of a spec before and after changes, as long as there is work left to do."""

    def __init__(self, findings: Sequence[Diagnostic], file: s.File, changes: Overrides, again: Again) -> None:
        self.file = file
        self.source = file.span.source
        self.changes = changes
        self.left = min(MAX_TRIALS, MAX_CHARACTERS // (len(self.source.text) + 1))
        self._again = again
        self._end = process_time() + MAX_SECONDS
        self._before = count(findings)
        self._known: dict[tuple[str, Overrides], Counter[Key] | None] = {}

    def works(self, finding: Diagnostic, fix: Help) -> bool:
        """Whether the edits of a help remove its finding and bring no other; True if that is not known."""
        if any(edit.at.source is not self.source for edit in fix.edits):
            return True
        after = self.after(fix.edits)
        return after is None or self.is_better(finding, after)

    def is_better(self, finding: Diagnostic, after: Counter[Key]) -> bool:
        """Whether a finding is gone, and no other has come."""
        return self._is_gone(finding, after) and not after - self._before

    def is_a_step(self, finding: Diagnostic, fix: Help) -> bool:
        """Whether a finding is gone, though one has come that it may have hidden."""
        after = self.after(fix.edits)
        return after is not None and self._is_gone(finding, after) and (after - self._before).total() == 1

    def _is_gone(self, finding: Diagnostic, after: Counter[Key]) -> bool:
        return after[key(finding)] < self._before[key(finding)]

    def after(self, edits: Sequence[Edit], changes: Overrides | None = None) -> Counter[Key] | None:
        """Return the errors after edits, or with other changes; None if there is too much to do."""
        changes = changes or self.changes
        try:
            text = applied(self.source, edits)
        except ValueError:
            return Counter()
        if (text, changes) not in self._known:
            self._known[text, changes] = self._try(text, changes)
        return self._known[text, changes]

    def _try(self, text: str, changes: Overrides) -> Counter[Key] | None:
        if self.left <= 0 or process_time() > self._end:
            return None
        self.left -= 1
        findings = self._again(Source(self.source.name, text), changes)
        return None if any(finding.code in ("E009", "E112") for finding in findings) else count(findings)


def proved(findings: Sequence[Diagnostic], file: s.File, changes: Overrides, again: Again) -> tuple[Diagnostic, ...]:
    """Return findings with the helps that work."""
    trials = Trials(findings, file, changes, again)
    first, rest = _channels_first(findings, trials)
    return (*first, *(_with_working_helps(finding, trials) for finding in rest))


def _with_working_helps(finding: Diagnostic, trials: Trials) -> Diagnostic:
    """Return a finding without the helps that do not work, and with an input that does."""
    inputs = _other_input(finding, trials) if finding.code in _OF_SIZES else []
    fixes = list(dict.fromkeys(finding.fixes))
    working = [fix for fix in fixes if trials.works(finding, fix)][: MAX_HELPS - len(inputs)]
    if not working and not inputs:
        working = [fix for fix in fixes if trials.is_a_step(finding, fix)][:1]
    helps = [text for text in dict.fromkeys(finding.helps) if not isinstance(text, Help) or text in working]
    return replace(finding, helps=(*helps, *inputs))


def _channels_first(findings: Sequence[Diagnostic], trials: Trials) -> tuple[list[Diagnostic], Sequence[Diagnostic]]:
    """Return one finding for all that an input in torch's order explains, and the other findings."""
    for edits in reordered(trials.file):
        after = trials.after(edits)
        if after is not None and (gone := count(findings) - after) and (after - count(findings)).total() <= 1:
            volume = edits[0].at.text
            helps = (Help(f"`{edits[0].replacement}`", *edits),)
            notes = ("a volume is height x width x channels",)
            one = Diagnostic("E304", f"{volume} is channels first", (Label(edits[0].at),), notes, helps)
            return [one], [finding for finding in findings if key(finding) not in gone]
    return [], findings


def _other_input(finding: Diagnostic, trials: Trials) -> list[str]:
    """Return the help that names another input of the network with which the finding is gone, and no other comes."""
    bracket = input_bracket(trials.file)
    present = trials.changes.input or (sizes(bracket) if bracket else ())
    if bracket is None or not present:
        return []
    if len(present) != 3:
        fixes = [Help(f"`{written(one)}` is an image", Edit(bracket.span, written(one))) for one in as_images(present)]
        return [fix for fix in fixes if trials.works(finding, fix)]
    if finding.code == "E204":
        return []
    for volume in other_inputs(present):
        after = trials.after((), replace(trials.changes, input=volume))
        if after is not None and trials.is_better(finding, after):
            text = written(volume)
            edit = Help(f"`{text}` as the network's input fits", Edit(bracket.span, text))
            if _is_about(finding, bracket) and trials.changes.input is None and trials.works(finding, edit):
                return [edit]
            return [f"`--input {'x'.join(map(str, volume))}` fits"]
    return []


def _is_about(finding: Diagnostic, bracket: s.Bracket) -> bool:
    """Whether the volume of the network's input is what a finding is about."""
    return any(
        label.span.source is bracket.span.source and label.span.line == bracket.span.line for label in finding.labels
    )


def key(finding: Diagnostic) -> Key:
    """Return what two findings have in common that say the same."""
    return finding.code, finding.message


def count(findings: Sequence[Diagnostic]) -> Counter[Key]:
    """Return how often each error is found."""
    return Counter(key(finding) for finding in findings if finding.severity == "error")
