"""Helps tried out: only those that work are shown.

In: the findings of a spec, and a function that reads a changed spec. Out: the same findings; a help whose edits do
not remove its finding, or bring another, is left out; one that brings a warning is shown if there is no better. A
finding keeps its first few helps that work. Where a volume is wrong, an input with which the network fits is named; an
input in torch's order is the only cause that is reported. The work is counted in steps and characters, so that every
machine shows the same helps; a finding keeps its first help, untried, if there is no work left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum

from archspec.diagnostics.edits import applied
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Source
from archspec.language import syntax as s
from archspec.record import replace
from archspec.resolve.declarations import Overrides
from archspec.resolve.helps.inputs import (
    as_images,
    input_bracket,
    other_inputs,
    reordered,
    sizes,
    tiled_inputs,
    written,
)

# the findings of a text with changes to it, read in so many steps at most, and the steps taken
Again = Callable[[Source, Overrides, int], tuple[Sequence[Diagnostic], int]]
Key = tuple[str, str]
MAX_HELPS = 3  # with edits, or flags, that a finding keeps
MAX_WORK = 3500  # steps that all trials take together, about 0.3 s
CHARACTERS = 20  # that take as long to parse as a step to run
LONGEST = MAX_WORK * CHARACTERS  # characters of a text whose helps are tried
FOR_INPUTS = 3  # the part of the work that goes into other inputs is one in so many
_OF_NUMBERS = ("E104", "E106", "E110")
_OF_SIZES = ("E201", "E202", "E203", "E204", "E206")


class Result(Enum):
    """What the edits of a help do to the findings."""

    WORKS = "its finding is gone, and no other has come"
    WARNS = "a warning has come"
    REVEALS = "an error has come that was probably hidden"
    UNKNOWN = "there is no work left to find out, or the edit is of another file"
    WRONG = "its finding remains, or it brings errors"


_SECOND_BEST = (Result.WARNS, Result.REVEALS, Result.UNKNOWN)


class Trials:
    """The findings of a spec before and after changes, as long as there is work left to do."""

    def __init__(self, findings: Sequence[Diagnostic], file: s.File, changes: Overrides, again: Again) -> None:
        self.file = file
        self.source = file.span.source
        self.changes = changes
        self.left = MAX_WORK
        self._again = again
        self._before = count(findings)
        self._known: dict[tuple[str, Overrides], Counter[Key] | None] = {}

    def result(self, finding: Diagnostic, fix: Help) -> Result:
        """Return what the edits of a help do."""
        if any(edit.at.source is not self.source for edit in fix.edits):
            return Result.UNKNOWN
        after = self.after(fix.edits)
        if after is None:
            return Result.UNKNOWN
        if not self._is_gone(finding, after):
            return Result.WRONG
        new = after - self._before
        if all(code.startswith("W") for code, _ in new):
            return Result.WARNS if new else Result.WORKS
        return Result.REVEALS if new.total() == 1 and _may_have_hidden(finding, fix, new) else Result.WRONG

    def is_better(self, finding: Diagnostic, after: Counter[Key]) -> bool:
        """Whether a finding is gone, and no other has come."""
        return self._is_gone(finding, after) and not after - self._before

    def _is_gone(self, finding: Diagnostic, after: Counter[Key]) -> bool:
        return after[key(finding)] < self._before[key(finding)]

    def after(self, edits: Sequence[Edit], changes: Overrides | None = None) -> Counter[Key] | None:
        """Return the errors after edits, or with other changes; None if there is too much to do."""
        changes = changes or self.changes
        if len(self.source.text) > LONGEST:
            return None  # a text for each of many findings would be large
        try:
            text = applied(self.source, edits)
        except ValueError:
            return Counter()
        if (text, changes) not in self._known:
            self._known[text, changes] = self._try(text, changes)
        return self._known[text, changes]

    def _try(self, text: str, changes: Overrides) -> Counter[Key] | None:
        reading = len(text) // CHARACTERS + 1
        if self.left <= reading:
            return None
        self.left -= reading
        findings, steps = self._again(Source(self.source.name, text), changes, self.left)
        self.left -= steps
        return None if any(finding.code in ("E009", "E112") for finding in findings) else count(findings)


def _may_have_hidden(finding: Diagnostic, fix: Help, new: Counter[Key]) -> bool:
    """Whether a finding that came was probably there before: an unknown name hides volumes, a wrong number does not."""
    is_about_numbers = finding.code.startswith(("E2", "E3")) or finding.code in _OF_NUMBERS
    return fix.is_safe or not is_about_numbers or not any(code.startswith(("E2", "E3")) for code, _ in new)


def proved(findings: Sequence[Diagnostic], file: s.File, changes: Overrides, again: Again) -> tuple[Diagnostic, ...]:
    """Return findings with the helps that work; those that will not be shown keep theirs."""
    trials = Trials(findings, file, changes, again)
    first, rest = _channels_first(findings, trials)
    shown = [_with_working_helps(finding, trials) for finding in rest[:MAX_SHOWN]]
    return (*first, *shown, *rest[MAX_SHOWN:])


def _with_working_helps(finding: Diagnostic, trials: Trials) -> Diagnostic:
    """Return a finding without the helps that do not work, and with an input that does."""
    kept: dict[Result, list[Help]] = {result: [] for result in Result}
    alike: dict[tuple[Edit, ...], Help] = {}
    for fix in finding.fixes:
        alike.setdefault(fix.edits, fix)
    for fix in alike.values():
        if finding.code == "E301" and fix.edits[0].at == finding.span:
            trials.result(finding, fix)  # the bracket itself: known before the work is spent on changes of layers
    for fix in alike.values():
        if len(kept[Result.WORKS]) < MAX_HELPS:
            kept[trials.result(finding, fix)].append(fix)
    inputs = _other_input(finding, trials) if finding.code in _OF_SIZES else []
    working = kept[Result.WORKS][: MAX_HELPS - len(inputs)]
    if not working and not inputs:
        guesses = (Result.UNKNOWN,) if finding.code == "E301" else ()
        second = [result for result in _SECOND_BEST if kept[result] and result not in guesses]
        working = kept[second[0]][:1] if second else []
    advice = [text for text in dict.fromkeys(finding.helps) if not isinstance(text, Help)]
    return replace(finding, helps=(*working, *advice, *inputs))


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
        return [fix for fix in fixes if trials.result(finding, fix) is Result.WORKS]
    if finding.code == "E204":
        return []
    end = trials.left - trials.left // FOR_INPUTS
    for volume in (*tiled_inputs(present, finding.message), *other_inputs(present)):
        if trials.left <= end:
            break
        after = trials.after((), replace(trials.changes, input=volume))
        if after is not None and trials.is_better(finding, after):
            text = written(volume)
            edit = Help(f"`{text}` as the network's input fits", Edit(bracket.span, text))
            if (
                _is_about(finding, bracket)
                and trials.changes.input is None
                and trials.result(finding, edit) is Result.WORKS
            ):
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
    """Return how often each finding is made."""
    return Counter(map(key, findings))
