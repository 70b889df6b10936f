"""Helps are tried before they are shown, and the work for that is bounded."""

from collections.abc import Sequence

import pytest

import archspec
from archspec.diagnostics.findings import Help
from archspec.resolve.helps import refusal, trial
from archspec.resolve.helps.slips.meant import meant
from support.helps import findings_in, trials

CHAIN = "[8x8x8] INPUT\nCONV 8 3x3 p1 -> RELU\n[{claim}x8] POOL 2x2 s2\nGAP -> FC 2\n"


def test_a_help_that_another_claim_refutes_is_not_shown() -> None:
    # 7x7: `p1` gives 4x4, `floor` 3x3; the bracket says which
    for claim, words in (("4x4", {"p1", "ceil"}), ("3x3", {"floor"})):
        text = f"[7x7x8] INPUT\n[{claim}x8] POOL 2x2 s2\nRELU\n"
        found = list(trials(text))
        assert {one.text.splitlines()[1].split()[-1] for one in found if "POOL" in one.help} == words
        assert all(one.works for one in found)


def test_a_help_that_reveals_one_hidden_error_is_kept_if_none_is_better() -> None:
    text = "[8x8x8] INPUT\nCONV 8 3 -> RELU\nSHUFFLE 3\n"
    (finding,) = findings_in(text)
    assert finding.fixes == ("`CONV 8 3x3`",)
    (one,) = trials(text)
    assert one.is_gone
    assert [new.code for new in one.new] == ["E203"]


def test_there_are_at_most_three_helps_to_choose_from() -> None:
    for text in ("CONV 8 3x3\n", "[8x8x8] INPUT\nCONV 8 3x3 s2 -> RELU\n", "[8x8x8] INPUT\nPOOL 3x3\n"):
        (finding,) = findings_in(text)
        assert 1 <= len(finding.helps) <= 3


def test_no_more_is_read_again_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    works: list[int] = []
    before = trial.Trials._try

    def counted(self: trial.Trials, *arguments: object) -> object:
        left = self.left
        after = before(self, *arguments)  # type: ignore[arg-type]
        works.append(left - self.left)
        return after

    monkeypatch.setattr(trial.Trials, "_try", counted)
    monkeypatch.setattr(trial, "MAX_WORK", 500)
    lines = "".join(f"CONV {8 + n} 3 -> RELU\n" for n in range(20))
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(f"[64x64x8] INPUT\n{lines}")
    assert 400 < sum(works) <= 500 + max(works)
    assert len(caught.value.diagnostics) == 20
    assert all(len(finding.fixes) == 1 for finding in caught.value.diagnostics)  # those untried, too


def test_trials_work_out_no_helps_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counted(*arguments: object) -> Sequence[Help]:
        nonlocal asked
        asked += 1
        return meant(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(refusal, "meant", counted)
    findings_in("[64x64x8] INPUT\n" + "CONV 8 3 -> RELU\n" * 20)
    assert asked == 20
