"""The first help for one slip in a correct spec: it restores the spec, or leaves one without findings."""

import pytest

from support.helps import findings_in, trials

MAP, SEQUENCE = "[8x8x4] INPUT\n", "[16x8] INPUT\n"
BODY = "block body(f)\n    CONV f 3x3 p1 -> RELU\n"
WIDE = BODY + "block unit(f, n, stride=1)\n    n x body(f)\n    MAXPOOL 2x2 stride=stride\n"
BODY += "block stage(unit, f, n, stride)\n    n x unit(f)\n"
STRIDED = BODY + "    MAXPOOL 2x2 stride=stride\n[8x8x4] INPUT\n"
ARMS = "    if c == 1\n        BN\n    else\n        TANH\n"
PAIR = "block pair(a, b, c)\n    CONV a 3x3 p1 -> RELU -> CONV b 3x3 p1 -> RELU\n" + ARMS
JOIN = "    concat\n{}{}    RELU\n[8x8x4] INPUT\nb()\n"
FIRST, SECOND = "        | CONV 4 3x3 p1\n", "        | x\n"

# a spec with a slip, the code of the finding, and its first help
SLIPS = {
    "an argument with the name of none, and one is missing": (
        WIDE + MAP + "unit(4, count=2)\n",
        "E103",
        "did you mean `n`?",
    ),
    "an argument with the name of none, and the bracket needs a default changed": (
        WIDE + MAP + "[4x4x4] unit(4, 2, channels=2)\n",
        "E103",
        "did you mean `stride`?",
    ),
    "the first argument of a call is missing": (
        PAIR + MAP + "pair(16, 8, 1)\npair(8, 1)\n",
        "E106",
        "`pair(16, 8, 1)`",
    ),
    "the arguments in the opposite order": (
        STRIDED + "[4x4x8] stage(2, 1, 8, body)\n",
        "E105",
        "`stage(body, 8, 1, 2)`",
    ),
    "a call in the ratio of the channels": (
        "block wide(f)\n    CONV 2*f 3x3 p1 -> RELU\n[8x8x4] INPUT\n[8x8x32] wide(12)\n",
        "E301",
        "`wide(16)`: the line then produces [8x8x32]",
    ),
    "the parameter of a file is misspelt where it is declared, and is one of a block": (
        "param cuont = 2\nblock heads(count)\n    MHSA count\n" + SEQUENCE + "LN -> CLS -> heads(count)\n",
        "E101",
        "did you mean `cuont`?",
    ),
    "a parameter of a block outside it": (
        "block heads(count)\n    MHSA count\n[16x7] INPUT\nheads(count)\n",
        "E101",
        "give it a number: `1`",
    ),
    "a parameter of the file that nothing uses any more": (
        "param heads = 4\n" + SEQUENCE + "MHSA 0\n",
        "E105",
        "`MHSA heads`",
    ),
    "no filters, where the layers beside have the block's": (
        "block unit(f)\n    CONV f 1x1 -> RELU -> CONV 3x3 p1 -> RELU\n[8x8x4] INPUT\nunit(8)\nPOOL 2x2 s2 -> FC 2\n",
        "E106",
        "`CONV f 3x3 p1`",
    ),
    "an expression with x for times": (
        "block unit()\n    add\n        | CONV 4xC 1x1 -> RELU -> CONV C 1x1\n        | x\n[8x8x4] INPUT\nunit()\n",
        "E101",
        "`*` multiplies: `*C`",
    ),
    "a line that is there twice": (
        "[27x27x3] INPUT\nCONV 8 3x3 -> RELU\npool3: MAXPOOL 3x3 s2\npool3: MAXPOOL 3x3 s2\nFC 2\n",
        "E109",
        "drop the line",
    ),
    "a call that is not closed": (
        "block unit\n    CONV 4 3x3 p1 -> RELU\n[8x8x4] INPUT\n[8x8x4] 2 x unit(\n",
        "E012",
        "`[8x8x4] 2 x unit()`",
    ),
    "a block in another case": (
        "block fuse(f, g)\n    CONV f 3x3 p1 -> RELU -> CONV g 1x1\n[8x8x4] INPUT\nFuse(4, g=3)\n",
        "E001",
        "`fuse`",
    ),
    "a result without its sign, at the beginning of a line": (
        MAP + "left: CONV 4 3x3 p1 -> RELU\nadd\n    | left -> CONV 4 1x1\n    | @left\n",
        "E005",
        "`@left`",
    ),
    "a bar of a first branch dropped": (
        "block b\n" + JOIN.format(FIRST.replace("|", " "), SECOND),
        "E004",
        "begin line 3 with `| `",
    ),
    "a bar of a first branch at the margin": (
        "block b\n" + JOIN.format(FIRST.lstrip(), SECOND),
        "E004",
        "indent line 3 like the branch below it",
    ),
    "no merge above branches": (
        "block b\n" + JOIN.format(FIRST, SECOND).removeprefix("    concat\n"),
        "E004",
        "put `add` above the branches",
    ),
    "a bar of the last branch at the margin": (
        MAP + "concat\n    | CONV 4 3x3 p1\n| x\n",
        "E005",
        "indent it like the branch above",
    ),
    "the bar of the first of several branches at the margin": (
        MAP + "add\n| CONV 4 3x3 p1\n        | CONV 4 1x1\n        | x\n",
        "E005",
        "indent them under it",
    ),
    "an input one column in": (
        "block b\n    add\n        | CONV 4 3x3 p1\n        | x\n [8x8x4] INPUT\nb()\n",
        "E004",
        "align it with the level at column 1",
    ),
    "groups that do not divide, and what is published has none": (
        "published params=3,488\n[8x8x12] INPUT\nCONV 32 3x3 g5 p1 -> RELU\n",
        "E203",
        "`CONV 32 3x3 p1` has no groups",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "first"), SLIPS.values(), ids=SLIPS)
def test_the_first_help_for_a_slip_leaves_a_spec_without_findings(text: str, code: str, first: str) -> None:
    finding = next(one for one in findings_in(text) if one.code == code)
    assert finding.fixes[0] == first
    trial = next(one for one in trials(text) if one.help == first)
    assert findings_in(trial.text) == ()


TWO = "[8x8x4] INPUT\nCONV 3x3 p1 nobias -> RELU\nCONV 4 3x3 p1 -> RELU -> CONV 16 1x1\n"


@pytest.mark.parametrize(("params", "filters"), [("1,236", 16), ("1,235", 64)])
def test_of_helps_that_remove_a_finding_one_with_the_published_count_comes_first(params: str, filters: int) -> None:
    """With 16 filters, 3*3*4*16 and 3*3*16*4 + 4 and 4*16 + 16 parameters; none leads to 1,235."""
    (finding,) = findings_in(f"published params={params}\n{TWO}")
    assert finding.fixes == (f"`CONV {filters} 3x3 p1 nobias`",)


def test_a_block_with_parameters_is_not_left_to_pass_its_input_through() -> None:
    for head, is_offered in (("block unit(f)", False), ("block unit(@skip)", False), ("block unit", True)):
        (finding,) = findings_in(f"{head}\n[8x8x4] INPUT\nRELU\n")
        assert bool(finding.fixes) == is_offered


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("block double(f)\n    CONV f 3x3 p1 -> RELU bias=False\n[8x8x4] INPUT\ndouble(4)\n", "E101"),
        ("block fuse(f)\n    CONV f 3x3 p1 -> RELU\n[8x8x4] INPUT\nFused(4, g=3)\n", "E101"),
    ],
)
def test_what_follows_from_a_line_that_is_read_as_it_was_meant_has_no_help(text: str, code: str) -> None:
    (finding,) = [one for one in findings_in(text) if one.code == code]
    assert finding.fixes == ()


def test_a_layer_of_another_library_is_not_copied_into_the_help_for_its_volume() -> None:
    text = SEQUENCE + "nn.Conv2d(64, 64, kernel_size=3, padding=1)\n"
    (finding,) = [one for one in findings_in(text) if one.code == "E204"]
    assert not any("Conv2d" in fix for fix in finding.fixes)


def test_a_name_that_is_no_step_in_a_chain_is_not_called_a_merge() -> None:
    (finding,) = findings_in("block unit(f)\n    CONV f 3x3 p1\n[8x8x4] INPUT\nunit -> unit(4)\n")
    assert finding.message == "`unit` is not a step"
    assert finding.fixes == ()
