"""Correct specs with a mistake in them, and the share of the helps that work: the program of `benchmarks/helps`."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

import archspec
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Source, Span
from benchmarks.helps import tally as tally_module
from benchmarks.helps.bases import written_specs
from benchmarks.helps.mistakes import KINDS, MISTAKES, kind_of, mistaken
from benchmarks.helps.rate import COUNT, ENOUGH, holds, measure, one_line, page
from benchmarks.helps.tally import NO_EDIT, Tally, tally


@pytest.mark.slow
def test_at_least_95_percent_of_the_helps_work_for_5000_mistakes(
    record_property: Callable[[str, object], None],
) -> None:
    found = measure(0, COUNT, processes=2)
    record_property("sweep", one_line(found))
    assert found.total == COUNT
    assert found.mutants.keys() == {*KINDS}
    assert found.all.working >= ENOUGH * found.all.helps
    assert found.all.first >= ENOUGH * found.all.helped
    assert holds(found)


def test_every_kind_of_mistake_can_be_made_and_is_made_from_its_number_alone() -> None:
    assert [mistaken(number) for number in range(3)] == [mistaken(number) for number in range(3)]
    assert len(KINDS) == len(MISTAKES) >= 100
    assert len(written_specs()) > 80
    assert all(map(mistaken, range(len(KINDS))))
    numbers = range(0, len(KINDS), 8)
    found = tally(numbers)
    assert dict(found.mutants) == dict.fromkeys(map(kind_of, numbers), 1)
    assert found.accepted.total() < len(numbers) / 4
    assert page(found, 0, 1.0, 1).count("\n") > len(numbers)


def test_a_help_that_does_not_work_is_counted_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """`a` is wrong and has three helps with edits, of which only the last works, one without, and advice."""

    def loads(text: str) -> SimpleNamespace:
        source = Source("spec", text)
        place = Span(source, 0, 1)
        if text == "b":
            raise archspec.ArchspecError([Diagnostic("E102", "another", (Label(place),))])
        if text != "a":
            return SimpleNamespace(diagnostics=())
        helps = [Help(f"`{new}`", Edit(place, new)) for new in ("a", "b", "c")]
        raise archspec.ArchspecError([Diagnostic("E101", "wrong", (Label(place),), (), (*helps, "`d`", "think again"))])

    monkeypatch.setattr(archspec, "loads", loads)
    monkeypatch.setattr(tally_module, "mistaken", lambda number: "a")
    found = Tally()
    found.count(0)
    rates = found.codes["E101"]
    assert (rates.findings, rates.helped, rates.first, rates.any, rates.helps, rates.working) == (1, 1, 0, 1, 4, 1)
    assert [one.why for one in found.failures] == ["the finding stays", "another has come: E102 another", NO_EDIT]
    assert not holds(found)
    assert "| 3 | E101 | `…` | the finding stays | `--only 0` |" in page(found, 0, 1.0, 1)
