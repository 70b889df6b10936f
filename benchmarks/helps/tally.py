"""What comes of specs with a mistake: how many are accepted, and how many of the helps work.

In: the numbers of mistakes. Out: a `Tally`, which can be added to another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archspec.diagnostics.findings import Diagnostic, Help
from benchmarks.helps.mistakes import kind_of, mistaken
from benchmarks.helps.trials import Trial, bare, findings_in, trials

NO_EDIT = "quotes text and has no edit"


class Failure(NamedTuple):
    """A help that does not work: its finding's code, the help without its figures, why, and which mistake."""

    code: str
    help: str
    why: str
    number: int


class Rates:
    """Counts of findings and helps, for all, for a code, or for a kind of mistake."""

    def __init__(self) -> None:
        self.findings = self.helped = self.first = self.any = self.helps = self.working = 0

    def count(self, works: Sequence[bool]) -> None:
        """Count a finding, with whether each of its helps works."""
        self.findings += 1
        self.helped += bool(works)
        self.first += bool(works) and works[0]
        self.any += any(works)
        self.helps += len(works)
        self.working += sum(works)

    def add(self, other: Rates) -> None:
        """Add the counts of another."""
        for name, number in vars(other).items():
            setattr(self, name, getattr(self, name) + number)


class Tally:
    """The counts of a run over mistakes."""

    def __init__(self) -> None:
        self.mutants: Counter[str] = Counter()  # by kind
        self.accepted: Counter[str] = Counter()  # without a finding
        self.single: Counter[str] = Counter()  # with one finding
        self.all = Rates()
        self.codes: dict[str, Rates] = {}
        self.kinds: dict[str, Rates] = {}
        self.failures: list[Failure] = []

    def count(self, number: int) -> None:
        """Make a mistake, and try every help of every finding."""
        kind, text = kind_of(number), mistaken(number)
        found = findings_in(text)
        self.mutants[kind] += 1
        self.accepted[kind] += not found
        self.single[kind] += len(found) == 1
        tried = {id(one.help): one for one in trials(text, found)}
        for finding in found:
            works: list[bool] = []
            for said in finding.helps:
                if id(said) not in tried and said not in bare(finding):
                    continue  # it only advises, or edits a file that is used
                why = _why(tried[id(said)]) if isinstance(said, Help) else NO_EDIT
                works.append(why is None)
                if why is not None:
                    self.failures.append(Failure(finding.code, pattern(said), why, number))
            self._count(kind, finding, works)

    def _count(self, kind: str, finding: Diagnostic, works: Sequence[bool]) -> None:
        codes, kinds = self.codes.setdefault(finding.code, Rates()), self.kinds.setdefault(kind, Rates())
        for rates in (self.all, codes, kinds):
            rates.count(works)

    def add(self, other: Tally) -> None:
        """Add what another process counted."""
        self.mutants += other.mutants
        self.accepted += other.accepted
        self.single += other.single
        self.all.add(other.all)
        for mine, others in ((self.codes, other.codes), (self.kinds, other.kinds)):
            for name, rates in others.items():
                mine.setdefault(name, Rates()).add(rates)
        self.failures += other.failures

    @property
    def total(self) -> int:
        """The number of mistakes."""
        return self.mutants.total()


def _why(trial: Trial) -> str | None:
    """Return why a help does not work, or None if it does."""
    if trial.works:
        return None
    new = ", ".join(f"{one.code} {one.message:.60}" for one in trial.new[:2])
    return f"another has come: {new}" if trial.is_gone else "the finding stays"


def pattern(text: str) -> str:
    """Return a help without its figures and names, so that those of one place in the program are alike."""
    return re.sub(r"\d[\d.,]*", "0", re.sub(r"`[^`]*`", "`…`", text))


def tally(numbers: Iterable[int]) -> Tally:
    """Count what comes of the mistakes with these numbers."""
    found = Tally()
    for number in numbers:
        found.count(number)
    return found
