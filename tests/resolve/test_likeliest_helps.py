"""The help that is meant comes first, and one that makes a false claim the input is not offered."""

import pytest

from support.helps import findings_in, trials

INPUT = "[32x32x8] INPUT\n"
STRIDED = "[32x32x8] CONV 16 3x3 s2 p1\n"
RECEIVED = {
    "[64x128x3] INPUT\n[128x64x16] CONV 16 3x3 p1 -> RELU\n": False,
    INPUT + STRIDED: False,
    INPUT + "[34x34x8] CONV 16 3x3 s2 p1\n[17x17x16] RELU\n[17x17x16] CONV 4 1x1\n": False,
    INPUT + STRIDED + "[16x16x16] RELU\n": True,
}


@pytest.mark.parametrize(("text", "is_offered"), RECEIVED.items())
def test_the_input_is_dropped_only_where_the_next_of_several_brackets_repeats_it(text: str, is_offered: bool) -> None:
    fixes = [fix for finding in findings_in(text) for fix in finding.fixes]
    assert any("the first bracket is the input" in fix for fix in fixes) == is_offered


def test_a_bottleneck_is_widened_to_its_trunk() -> None:
    text = "[8x8x64] INPUT\nadd\n    | CONV 16 1x1 -> RELU -> CONV 16 3x3 p1 -> RELU -> CONV 16 1x1\n    | x\n"
    (finding,) = findings_in(text)
    assert finding.fixes[0] == "`CONV 64 1x1`: the branch then produces [8x8x64]"


def test_a_change_of_a_block_says_that_it_is_for_all_calls() -> None:
    unit = "block unit(f, s)\n    add\n        | CONV f 3x3 stride=s pad=1 -> RELU\n        | x\n[8x8x8] INPUT\n"
    for calls, is_said in (("unit(8, 1)\nunit(8, 2)\n", True), ("unit(8, 2)\n", False)):
        (finding,) = findings_in(unit + calls)
        assert finding.fixes[0].endswith(", in every call of `unit`") == is_said


MISSING_ENDS = {
    "[9x16] INPUT\nadd\n    | LN -> FC 64 -> GELU\n    | x\n": "`GELU -> FC 16`",
    "[9x16] INPUT\nadd\n    | LN -> TRANSPOSE -> FC 32 -> GELU -> FC 9\n    | x\n": "`FC 9 -> TRANSPOSE`",
    "block mlp()\n    add\n        | LN -> FC 4*C -> GELU\n        | x\n[9x16] INPUT\nmlp()\n": "`GELU -> FC C`",
}


@pytest.mark.parametrize(("text", "quoted"), MISSING_ENDS.items())
def test_a_branch_of_a_sequence_gets_the_step_that_it_lacks(text: str, quoted: str) -> None:
    (finding,) = findings_in(text)
    assert finding.fixes[0].startswith(quoted)
    assert all(one.works for one in trials(text))


UP = "[8x8x4] INPUT\nskip: CONV 4 3x3 p1 -> RELU\nPOOL 2x2 s2\n{}\nconcat\n    | x\n    | @skip\n"
EVEN = "[8x8x4] INPUT\nadd\n    | CONV 4 4x4 p1 -> BN\n    | x\n"
EXACT = {
    UP.format("UPCONV 4 3x3 s2"): ["`UPCONV 4 3x3 s2 p1:0`", "`UPCONV 4 2x2 s2`"],
    UP.format("UPCONV 4 4x4 s2"): ["`UPCONV 4 4x4 s2 p1`", "`UPCONV 4 2x2 s2`"],
    EVEN: ["`CONV 4 3x3 p1`", "`CONV 4 4x4 p1:2`"],
}


@pytest.mark.parametrize(("text", "quoted"), EXACT.items())
def test_a_window_that_misses_the_size_by_a_pixel_gets_the_pads_or_the_side_that_keep_it(
    text: str, quoted: list[str]
) -> None:
    (finding,) = findings_in(text)
    assert [fix.split(": the")[0] for fix in finding.fixes][:2] == quoted
    assert all(one.works for one in trials(text))


UNET = (
    "block level(f, depth)\n    CONV f 3x3 same -> RELU\n    if depth > 0\n        concat\n            | x\n"
    "            | POOL 2x2 s2 -> level(2*f, depth-1) -> UPCONV f 2x2 s2\n[100x100x3] INPUT\nlevel(4, 3)\n"
)
FIRST_HELPS = {
    UNET: "`--input 104x104x3` fits",
    "[27x27x3] INPUT\nCONV 9x11x11 s4 -> RELU\n": "`CONV 9 11x11 s4`",
    "[27x27x3] INPUT\nCONV 3x3x8 -> RELU\n": "`CONV 8 3x3`",
    "[8x8x3] INPUT\nCONV 4 3x3 rate=2 p2 -> RELU\n": "`CONV 4 3x3 d2 p2`",
    "[8x8x3] INPUT\nCONV 4 2x2 s2 -> CLS -> TOKENS -> POSEMBED\nTAKE 0\n": "`TOKENS -> CLS`: in this order",
    "[7x7x3] INPUT\nAVGPOOL 8x8 s1\nFC 2\n": "`GAP` is the mean of the whole map",
    "[8x8x3] INPUT\nAVGPOOL 7x7 s7\nFC 2\n": "`GAP` is the mean of the whole map",
}


@pytest.mark.parametrize(("text", "quoted"), FIRST_HELPS.items())
def test_the_first_help_is_the_likeliest(text: str, quoted: str) -> None:
    (finding,) = findings_in(text)
    assert finding.helps[0] == quoted
    assert all(one.works for one in trials(text))


def test_half_of_an_odd_count_is_rounded_alike_wherever_the_block_has_it() -> None:
    text = (
        "block unit()\n    concat\n        | SLICE 0 C/2\n        | SLICE C/2 C -> CONV C/2 1x1  # C/2 each\n"
        "[8x8x9] INPUT\nunit()\n"
    )
    for finding in findings_in(text):
        assert finding.notes[0] == "`C` is 9, which is odd"
        assert finding.fixes[0] == "`floor(C/2)`, here and in 2 other places"
    assert all(one.works for one in trials(text))
    assert {one.text.count("(C/2)") for one in trials(text)} == {3}


def test_an_even_window_in_a_residual_is_said_to_lose_a_pixel() -> None:
    (finding,) = findings_in(EVEN)
    assert finding.notes == ("an even window loses a pixel: 4x4 with p1 produces one row fewer",)
