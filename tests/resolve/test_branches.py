"""Branches that do not fit: the branch that is odd, and an edit of it that works."""

import pytest

from support.helps import findings_in, trials

BOTTLENECK = (
    "block unit(f, s=1)\n"
    "    add\n"
    "        | CONV f 1x1 -> RELU -> CONV f 3x3 stride=s{pad} -> RELU -> CONV 4*f 1x1\n"
    "        | {short}\n"
    "[56x56x64] INPUT\nunit(64)\nunit(128, 2)\n"
)
# a spec with branches that do not fit, and what its first help quotes
MENDED = {
    BOTTLENECK.format(pad=" p1", short="x"): "`| CONV 4*f 1x1 stride=s`",
    BOTTLENECK.format(pad=" p1", short="CONV 4*f 1x1"): "`CONV 4*f 1x1 stride=s`",
    "[8x8x8] INPUT\nadd\n    | CONV 16 3x3 p1 -> RELU\n    | x\n": "`| CONV 16 1x1`",
    "[8x8x8] INPUT\nadd\n    | CONV 8 3x3 -> RELU\n    | x\n": "`CONV 8 3x3 p1`",
    "[9x16] INPUT\nadd\n    | LN -> FC 64 -> GELU -> FC 15\n    | x\n": "`FC 16`",
    "[8x8x8] INPUT\nmul\n    | x\n    | GAP -> FC 4 -> SIGMOID\n": "`FC 8`",
    "[8x8x8] INPUT\nadd\n    | x\n    | GAP -> FC 8 -> SIGMOID\n": "`mul`",
    "[8x8x8] INPUT\nconcat\n    | CONV 4 1x1\n    | CONV 4 5x5\n    | POOL 3x3 s1 p1\n": "`CONV 4 5x5 p2`",
    "[8x8x8] INPUT\nconcat\n    | x\n    | CONV 4 5x5\n    | POOL 3x3 s1\n": "`CONV 4 5x5 p2` and `POOL 3x3 s1 p1`",
    "[8x8x8] INPUT\nconcat\n    | CONV 4 1x1\n    | x\n    | POOL 3x3 s2 p1\n": "`POOL 3x3 s1 p1`",
    "[8x8x8] INPUT\na: RELU\nCONV 8 3x3 -> RELU\nconcat\n    | x\n    | @a\n": "`CONV 8 3x3 p1`",
}


@pytest.mark.parametrize(("text", "quoted"), MENDED.items())
def test_a_branch_is_mended_in_the_terms_of_the_source(text: str, quoted: str) -> None:
    (finding,) = findings_in(text)
    assert finding.code == "E206"
    assert quoted in finding.fixes[0]
    for trial in trials(text):
        assert trial.is_gone
        assert not [new for new in trial.new if new.severity == "error"]


@pytest.mark.parametrize(
    ("merge", "note"),
    [
        ("concat", "branch 2 is 4x4, the others 8x8"),
        ("add", "branch 2 is [4x4x8], the others [8x8x8]"),
    ],
)
def test_the_odd_one_of_three_branches_is_named(merge: str, note: str) -> None:
    (finding,) = findings_in(f"[8x8x8] INPUT\n{merge}\n    | x\n    | CONV 8 5x5\n    | CONV 8 1x1\n")
    assert note in finding.notes


@pytest.mark.parametrize(("side", "pad"), [(25, " p1"), (27, " p1"), (26, None)])
def test_an_upsample_that_is_a_pixel_off_becomes_an_upconv(side: int, pad: str | None) -> None:
    text = f"[{side}x{side}x8] INPUT\nadd\n    | x\n    | POOL 2x2 s2 p1 floor -> UPSAMPLE 2\n"
    if side % 2:
        text = text.replace("2x2 s2 p1 floor", "3x3 s2 p1")
    proposals = [str(fix) for one in findings_in(text) for fix in one.fixes]
    assert any(f"`UPCONV 8 3x3 s2{pad}`" in fix for fix in proposals) == (pad is not None)


def test_a_merge_without_branches_below_no_merge_is_one_error() -> None:
    (finding,) = findings_in("    | [8x8x4] stem: 0.5 x add\n")
    assert "branch" in finding.message


def test_a_branch_mark_without_a_layer_may_be_followed_by_an_arrow() -> None:
    assert findings_in("[32x32x8] INPUT\nadd\n    |\n \u2192   | x\n")
