"""What the arguments of a call bring about in its block is told once, at the call that the reader wrote."""

import pytest

from support.helps import findings_in, trials

INPUT = "[32x32x3] INPUT\n"
BLOCKS = (
    "block unit(body, f)\n    body(f)\nblock two(body, f)\n    2 x unit(body, f)\nblock b(f)\n    CONV f 1x1 -> RELU\n"
)


@pytest.mark.parametrize(
    ("text", "line", "place"),
    [
        ("use resnet: stage, basic\n" + INPUT + "stage(64, basic, 3, 1)\nFC 10\n", 3, "64"),
        ("use resnet: stage, basic\n" + INPUT + "stage(64, 64, 3, 1)\nFC 10\n", 3, "64"),
        (BLOCKS + INPUT + "unit(3, b)\nGAP -> FC 10\n", 8, "3"),
        (BLOCKS + INPUT + "two(3, b)\nGAP -> FC 10\n", 8, "3"),
        (BLOCKS + INPUT + "two(f=b, body=3)\nGAP -> FC 10\n", 8, "3"),
    ],
)  # fmt: skip
def test_a_number_where_a_block_is_called_is_told_at_the_call(text: str, line: int, place: str) -> None:
    (finding,) = findings_in(text)
    assert finding.span is not None
    assert (finding.code, finding.span.line, finding.span.text) == ("E105", line, place)
    assert "takes a block" in finding.message
    (trial,) = trials(text)
    assert trial.works


@pytest.mark.parametrize(
    ("call", "code"), [("stage(basic, basic, 3, 1)", "E105"), ("GAP -> basic(10)", "E204"), ("basic(8, 0)", "E105")]
)
def test_an_error_in_a_used_file_is_told_at_the_call_in_the_spec(call: str, code: str) -> None:
    (finding,) = findings_in(f"use resnet: stage, basic\n{INPUT}{call}\nFC 10\n")
    assert finding.span is not None
    assert (finding.code, finding.span.line) == (code, 3)
    assert "resnet.arch" in [label.span.source.name for label in finding.labels]
    assert all(fix.edits[0].at.source is finding.span.source for fix in finding.fixes)


@pytest.mark.parametrize(
    "text",
    [
        INPUT + "CONV width 3x3 p1 -> RELU\nlet width = 16\nGAP -> FC 10\n",
        INPUT + "add\n    | CONV w 3x3 p1 -> RELU\n    | CONV w 1x1\nlet w = 16\nGAP -> FC 10\n",
        INPUT + "let b = a\nlet a = 4\nGAP -> FC b\n",
        "block b(f)\n    CONV m 3x3 p1 -> RELU\n    let m = 2*f\n    CONV m 1x1\n" + INPUT + "b(8)\nFC 10\n",
        "block b(f)\n    if big == 1\n        CONV f 1x1\n    let big = 1\n    CONV big 1x1\n" + INPUT + "b(8)\n",
    ],
)  # fmt: skip
def test_a_let_below_its_use_is_moved_up(text: str) -> None:
    (finding,) = findings_in(text)
    assert finding.code == "E108"
    assert "is used before its `let`" in finding.message
    (trial,) = trials(text)
    assert [one.message for one in trial.new if one.severity == "error"] == []
    assert "move line" in str(trial.help)


UNIT = "block unit(f)\n    CONV f 3x3 p1 -> RELU\n"


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("use resnet basic\n" + INPUT + "basic(16)\nGAP -> FC 10\n", "`use resnet:`"),
        ("use resnet: basic shortcut\n" + INPUT + "basic(8)\nshortcut(8, 1)\nFC 10\n", "`use resnet: basic, shortcut`"),
        (INPUT + "@a: CONV 3 3x3 p1\nadd\n    | RELU\n    | @a\nGAP -> FC 10\n", "`a:`"),
        (UNIT + INPUT + "unit 16\nGAP -> FC 10\n", "`unit(16)`"),
        (UNIT + INPUT + "unit 16 -> unit 32\n2 x unit 8\nFC 10\n", "`unit(16)`, and likewise elsewhere"),
        ("use basic from resnet\n" + INPUT + "basic(8)\nFC 10\n", "`use resnet: basic`"),
        ("use resnet.arch: basic\n" + INPUT + "basic(8)\nFC 10\n", "`use resnet`"),
        ("use resnet: basic\n" + INPUT + "basic(8 1)\nFC 10\n", "`basic(8, 1)`"),
        ("use resnet: basic\n" + INPUT + "basic(8, 1,)\nFC 10\n", "drop `,`"),
        ("param f = 8\n" + INPUT + "CONV $f 3x3 -> RELU\nFC 10\n", "drop `$`"),
        ("param f = 8\n" + INPUT + "CONV {f} 3x3 -> RELU\nFC 10\n", "`f`"),
        (UNIT + INPUT + "unit[16]\nGAP -> FC 10\n", "`unit(16)`"),
        (UNIT + INPUT + "let n = 3\nn-1 x unit(8)\nGAP -> FC 10\n", "`(n-1) x`"),
    ],
)
def test_calls_and_names_in_other_notations(text: str, help_: str) -> None:
    (finding,) = findings_in(text)
    assert finding.code == "E001"
    (trial,) = trials(text)
    assert str(trial.help) == help_
    assert trial.works, [one.message for one in trial.new]


@pytest.mark.parametrize(
    ("line", "help_"),
    [
        ("learning rate 0.1", "`lr`"),
        ("label smoothing 0.1", "`label_smoothing`"),
        ("weight decay 5e-4", "`optimizer sgd weight_decay=5e-4`"),
        ("batch size 128", "`lr 0.1 for batch 128`"),
        ("sgd momentum=0.9", "`optimizer sgd momentum=0.9`"),
        ("adamw lr=0.001", "`optimizer adamw`, and `lr 0.001` on a line of its own"),
    ],
)
def test_a_setting_in_the_words_of_other_tools_is_rewritten(line: str, help_: str) -> None:
    (finding,) = findings_in(f"{INPUT}GAP -> FC 10\ntrain\n    epochs 10\n    {line}\n")
    assert finding.code == "E011"
    (trial,) = trials(f"{INPUT}GAP -> FC 10\ntrain\n    epochs 10\n    {line}\n")
    assert str(trial.help) == help_
    assert trial.works, [one.message for one in trial.new]
