"""Helps are tried before they are shown, and the work for that is bounded."""

import pytest

import archspec
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


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The work of each trial."""
    found: list[int] = []
    before = trial.Trials._try

    def counted(self: trial.Trials, *arguments: object) -> object:
        left = self.left
        after = before(self, *arguments)  # type: ignore[arg-type]
        found.append(left - self.left)
        return after

    monkeypatch.setattr(trial.Trials, "_try", counted)
    return found


def test_no_more_is_read_again_than_the_bound(works: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MAX_WORK", 500)
    lines = "".join(f"CONV {8 + n} 3 -> RELU\n" for n in range(20))
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(f"[64x64x8] INPUT\n{lines}")
    assert 400 < sum(works) <= 500 + max(works)
    assert len(caught.value.diagnostics) == 20
    assert all(len(finding.fixes) == 1 for finding in caught.value.diagnostics)  # those untried, too


def test_layers_count_as_work_in_a_text_that_is_partly_unread(works: list[int]) -> None:
    with pytest.raises(archspec.ArchspecError):
        archspec.loads("[64x64x8] INPUT\n50 x unit()\nCONV 9 3\n]\nblock unit\n    CONV 8 3x3 p1 -> BN -> RELU\n")
    assert max(works) > 150


def test_trials_work_out_no_helps_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counted(*arguments: object) -> list[str]:
        nonlocal asked
        asked += 1
        return meant(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(refusal, "meant", counted)
    findings_in("[64x64x8] INPUT\n" + "CONV 8 3 -> RELU\n" * 20)
    assert asked == 20


def test_a_help_that_brings_a_warning_gives_way_to_one_that_does_not() -> None:
    # `MHSA 8` fits as well, and leaves the parameter unused
    text = "block b(h)\n    MHSA 3 -> RELU\n[9x16] INPUT\nb(4)\n"
    (finding,) = findings_in(text)
    assert finding.fixes == ("`MHSA h`",)
    assert all(one.works for one in trials(text))


def test_a_help_that_only_moves_an_error_to_another_volume_is_not_shown() -> None:
    # 9 channels fit the bracket, and not the next one
    text = "[8x8x4] INPUT\n[8x8x9] CONV 9 1x1 -> RELU\n[8x8x4] CONV 3 1x1 -> RELU\n[8x8x5] TANH\n"
    found = list(trials(text))
    assert all(one.works for one in found)


def test_a_wrong_bracket_of_a_large_network_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[8x8x4] INPUT\n[7x7x4] CONV 4 3x3 -> RELU\n" + "RELU\n" * 40
    monkeypatch.setattr(trial, "MAX_WORK", 70)  # for one trial
    (finding,) = findings_in(text)
    assert finding.fixes == ("`[6x6x4]` is its actual volume",)


def test_the_helps_of_a_long_text_are_not_tried() -> None:
    """A text for each of its findings would be larger than any memory."""
    text = "[8x8x3] INPUT\n" + "CONV 8 1x1 params: 7\n" * 5_000
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(text)
    assert len(caught.value.diagnostics) == 5_000
    assert caught.value.diagnostics[0].fixes


def test_a_numbered_layer_in_an_init_line_is_an_error() -> None:
    with pytest.raises(archspec.ArchspecError, match="POOL has no weights"):
        archspec.loads("init CONV POOL2: 0.1\n[8x8x3] INPUT\nCONV 8 1x1 -> RELU -> POOL 2x2 s2\nFC 2\n")
