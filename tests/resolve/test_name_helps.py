"""Wrong names: the right cause, the right place, one finding, and a help that works when it is applied."""

import pytest

from archspec.diagnostics.spelling import distance, nearest
from support.helps import findings_in, trials

I = "[8x8x4] INPUT\n"  # noqa: E741  # the input
UNIT = "block unit(f, stride=1)\n    CONV f 3x3 p1 stride=stride\n    RELU\n"
STAGE = UNIT + "block stage(kind, f, n)\n    n x kind(f)\n"
CELL = "block cell(f, @h)\n    add\n        | CONV f 1x1\n        | @h\n    RELU\n"

# a spec, the code and place of its only finding, and its help
CASES = [
    (UNIT + I + "unit(8, f=8)\n", "E106", "f=8", "`unit(8)`"),
    (UNIT + I + "unit()\n", "E106", "unit()", "`unit(4)`"),
    (UNIT + I + "unit(4, 1, 2)\n", "E104", "2", "`unit(4, 1)`"),
    (UNIT + I + "unit(4, strid=2)\n", "E103", "strid", "did you mean `stride`?"),
    (UNIT + I + "unit(4, s=2)\n", "E103", "s", "did you mean `stride`?"),
    (UNIT + I + "unitt(4)\n", "E101", "unitt", "did you mean `unit`?"),
    (STAGE + I + "stage(4, 2)\n", "E106", "stage(4, 2)", "`stage(unit, 4, 2)`"),
    (STAGE + I + "stage(unit, 4, n=2, f=4)\n", "E106", "f=4", "`stage(unit, 4, n=2)`"),
    (CELL + I + "cell(4)\n", "E106", "cell(4)", "`cell(4, @input)`"),
    (CELL + I + "cell(@input, 4)\n", "E105", "@input", "`cell(4, @input)`"),
    (CELL + I + "cell(4, input)\n", "E105", "input", "`@input`"),
    (CELL + I + "cell(4, 4)\n", "E105", "4", "`cell(4, @input)`"),
    (CELL + I + "cell(4, @inptu)\n", "E101", "@inptu", "did you mean `@input`?"),
    (CELL + I + "cell(4, @before)\n", "E108", "@before", "`@input`"),
    (I + "relu()\n", "E101", "relu", "a layer has no parentheses: `RELU`"),
    (I + "conv(8, 3)\n", "E101", "conv", "a layer has no parentheses: `CONV 8 3x3`"),
    (I + "RELU -> x\n", "E114", "x", "drop `-> x`"),
    (I + "x\nRELU\n", "E108", "x", "drop `x`"),
    (I + "sum\n    | RELU\n    | TANH\n", "E102", "sum", "`add`"),
    (I + "add\n    | RELU\n", "E104", "add", "add a branch that passes its input through: `| x`"),
    (I + "2.5 x RELU\n", "E105", "2.5", "`2`"),
    (I + "aux -1: FC 10\nFC 10\n", "E001", "-", ""),
    (I + "a: RELU\na: TANH\n", "E109", "TANH", "call it `a2`"),
    (I + "let f = 2\nFC f -> RELU\nlet f = 3\nFC f\n", "E109", "f = 3", "call it `f2` from here on"),
    (I + "CONV1: 4 3x3\nRELU\nCONV1: 4 3x3\n", "E109", "CONV1", "call it `CONV2`"),
    (I + "a: RELU\n@input\nFC 10\n", "E113", "RELU", "drop the line"),
    (I + "a: RELU -> TANH\nRELU\n@input\nFC 10\n", "E113", "RELU", "drop the lines that only lead to it"),
    (UNIT + I + "unit(4)\n@input\nFC 10\n", "E113", "RELU", "drop the line"),
    (UNIT + UNIT + I + "unit(4)\n", "E109", "unit(f, stride=1)", "drop the second"),
    ("param a = 1\nparam a = 2\n" + I + "FC a\n", "E109", "a = 2", "drop the second"),
    ("net A\nnet B\n" + I + "FC 10\n", "E109", "B", "drop the second"),
    ("after FC: RELU\nafter CONV FC: TANH\n" + I + "FC 10\n", "E109", "FC", "drop `FC` here"),
    ("block b(f, f)\n    FC f\n" + I + "b(3)\n", "E109", "f", "`b(f)`"),
    ("use resnet: basik\n" + I + "basik(4)\n", "E101", "basik", "did you mean `basic`?"),
    ("use resnt: basic\n" + I + "basic(4)\n", "E014", "resnt: basic", "did you mean `resnet`?"),
    ("use resnet: basic, basic\n" + I + "basic(4)\n", "E109", "basic", "drop the second"),
    ("use resnet: basic\nuse resnet: shortcut, basic\n" + I + "basic(4)\n", "E109", "basic", "drop the second"),
    ("use resnet: basic\nblock basic(f)\n    FC f\n" + I + "basic(4)\n", "E109", "basic(f)", "drop the import"),
    ("block again(n)\n    RELU\n    again(n-1)\n" + I + "again(3)\n", "E112", "again(n-1)", "put it under `if n > 0`"),
    ("block b()\n    FC w\n" + I + "let w = 4\nFC w -> RELU -> b()\n", "E101", "w", None),
    ("block b(n)\n    if n == 1 or 2\n        RELU\n    FC 10\n" + I + "b(3)\n", "E105", "2", "compare it: `n == 2`"),
    (I + "if true\n    RELU\nFC 10\n", "E101", "true", "a condition is a comparison: `1 == 1`"),
    (UNIT + I + "unit(f)\n", "E101", "f", "give it a number: `64`"),
    (UNIT + I + "Unit(4)\n", "E102", "Unit", "a block is called by its own name: `unit(4)`"),
    (UNIT + I + "unitblock(4)\n", "E101", "unitblock", "did you mean `unit`?"),
    ("use resnet: basicblock\n" + I + "basicblock(4)\n", "E101", "basicblock", "did you mean `basic`?"),
    ("param a = b\nparam b = 3\n" + I + "FC a+b\n", "E101", "b", "move line 2 above this one"),
    (I + "aux: GAP\nFC 10\n", "E118", "aux", "`aux 0.3:`"),
    (
        I + "stem: RELU\nb()\nblock b()\n    add\n        | TANH\n        | @stem\n",
        "E101",
        "@stem",
        "pass it to the block: `b(..., @stem)`",
    ),
    (
        "block b()\n    h: RELU\n" + I + "b()\nadd\n    | TANH\n    | @h\n",
        "E101",
        "@h",
        "name the result of the call: `h: b()`",
    ),
    (
        "block b()\n    skip: x\n    TANH\n    add(@skip)\n" + I + "b()\n",
        "E101",
        "add",
        "`add` on a line, with its branches under it: `| x` and `| @skip`",
    ),
    ("block b(n)\n    if n\n        RELU\n    FC 10\n" + I + "b(1)\n", "E105", "n", "compare it: `n > 0`"),
]


@pytest.mark.parametrize(("text", "code", "place", "help_"), CASES, ids=[case[0][-40:] for case in CASES])
def test_a_wrong_name_has_one_finding_and_a_help_that_works(
    text: str, code: str, place: str, help_: str | None
) -> None:
    (finding,) = findings_in(text)
    assert finding.span is not None
    assert (finding.code, finding.span.text) == (code, place)
    if help_ == "":  # of the grammar's room
        return
    tried = list(trials(text))
    assert tried
    assert help_ is None or str(tried[0].help) == help_
    for trial in tried:
        assert trial.works, (str(trial.help), trial.text, [one.message for one in trial.new])


RESERVED = [
    "block b(s2)\n    CONV s2 3x3\n" + I + "b(4)\n",
    "block b(C, f)\n    FC C+f\n" + I + "b(C=4, f=3)\n",
    "block b(if)\n    FC if\n" + I + "b(4)\n",
    "block b(@before)\n    add\n        | @before\n        | x\n" + I + "b(@input)\n",
    "block x(f)\n    FC f\n" + I + "x(4)\n",
    "param N = 3\nvariant big: N=9\n" + I + "N x RELU\nFC 10\n",
    "param d2 = 3\nparam two = 2*d2\n" + I + "FC two\n",
    I + "let x = 3\nx x RELU\nFC x\n",
    I + "let W = 3\nFC W\n",
    I + "before: RELU\nFC 10\n",
    I + "if: RELU\nFC 10\n",
]


@pytest.mark.parametrize("text", RESERVED)
def test_a_name_with_a_meaning_is_one_error_and_can_be_changed_everywhere(text: str) -> None:
    assert [finding.code for finding in findings_in(text)] == ["E118"]
    (trial,) = trials(text)
    assert trial.works, trial.text


@pytest.mark.parametrize(
    "name", ["K", "F", "f", "k", "s", "p", "d", "g", "width", "stride", "filters", "xs", "s2x", "ifs"]
)
def test_other_names_are_free(name: str) -> None:
    assert findings_in(f"block b({name})\n    FC {name}+1\n" + I + f"b({name}=4)\n") == ()


LAYERS = {
    "Conv2d 4 8 3": "`CONV 8 3x3`",
    "Conv2d 8 3x3": "`CONV`",
    "Conv2d 4 8 3 1 1": "`CONV 8 3x3 s1 p1`",
    "MaxPool2d 2": "`POOL 2x2 s2`",
    "MaxPool2d 2 2": "`POOL 2x2 s2`",
    "BatchNorm2d 4": "`BN`",
    "GroupNorm 2 4": "`GN 2`",
    "Dropout 0.5": "`DROPOUT`",
    "ReLU": "`RELU`",
    "Linear 256 10": "`FC 10`",
    "Dense 10": "`FC`",
    "Softmax": "`SOFTMAX`",
    "CONVV1: 4 3x3": "`CONV`",
    "RLU": "`RELU`",
    "RELUU": "`RELU`",
    "FCC 10": "`FC`",
    "MAX POL 2x2 s2": "`MAX POOL`",
    "SEPCONV 8 3x3": "`DWCONV 3x3 linear -> CONV 8 1x1`",
    "PWCONV 8": "`CONV 8 1x1`",
    "Flatten": "drop it",
    "RELU-1": "`RELU`",
}


@pytest.mark.parametrize("line", LAYERS)
def test_a_layer_under_another_name_is_written_as_here(line: str) -> None:
    text = I + line + "\nFC 10\n"
    (finding,) = findings_in(text)
    assert finding.code in ("E102", "E103")
    (trial,) = trials(text)
    assert LAYERS[line] in trial.help
    assert [one.code for one in trial.new] in ([], ["W201"])
    assert trial.is_gone


@pytest.mark.parametrize(
    "name",
    [
        "ROIALIGN",
        "SELU",
        "RMSNORM",
        "FFT",
        "GLU",
    ],
)
def test_a_layer_is_never_taken_for_one_that_computes_something_else(name: str) -> None:
    (finding,) = findings_in(I + f"{name}\nFC 10\n")
    assert finding.notes == ("archspec has no such layer",)
    assert finding.helps == ()


@pytest.mark.parametrize("words", ["GLOBAL MINPOOL", "MIN POOL"])
def test_two_words_are_not_taken_for_another_layer(words: str) -> None:
    (finding, *_) = findings_in(I + f"{words}\nFC 10\n")
    assert "AVGPOOL" not in "".join(finding.helps)


def test_merges_as_calls_become_branches() -> None:
    text = I + "a: RELU\nb: TANH\nconcat(@a, b)\nFC 10\n"
    (trial,) = trials(text)
    assert "concat\n    | @a\n    | @b\nFC" in trial.text
    assert trial.works


def test_distances() -> None:
    assert (distance("abcd", "abdc"), distance("", "abc"), distance("kitten", "sitting")) == (1, 3, 3)
    assert nearest("botleneck", ["bottleneck", "basic"]) == "bottleneck"
    assert nearest("BM", ["BN", "GN"]) is None
    assert nearest("unit3", ["unit1", "unit2"]) is None


@pytest.mark.parametrize("name", ["use", "if", "s2", "net"])
def test_a_block_can_have_any_name_but_x(name: str) -> None:
    assert findings_in(f"block {name}(f)\n    FC f\n" + I + f"{name}(4)\n") == ()


def test_a_line_that_is_read_as_it_was_meant_gets_no_second_help_in_its_wrong_words() -> None:
    first, second = findings_in("[8x8x4] INPUT\nMAXPOOL(2x2)\nGAP -> FC 3\n")
    assert first.fixes
    assert (second.code, second.fixes) == ("E106", ())
