"""Lines that the grammar rejects: what is said of them, and what the help makes of them when it is applied.

Each help is applied alone, and must leave neither its finding nor a new one.
"""

import time

import pytest

import archspec
from archspec.diagnostics.edits import applied
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.rendering import render
from support.helps import findings_in, trials

INPUT = "[32x32x3] INPUT\n"
SMALL = "[8x8x4] INPUT\n"
ARMS = """\
block unit(f)
    if C = f && !(H > 2):
        x
    elif H == 2
        RELU
    else:
        CONV f 1x1
[8x8x4] INPUT
unit(4)
"""

# a line under the input, the code, the message, and the line after the first help
LINES = [
    ("conv 64 3x3", "E001", "layers are written in capitals: `conv`", "CONV 64 3x3"),
    ("CONV 64 3x3 => RELU", "E002", "`=>` is not an arrow", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3 --> RELU", "E002", "`-->` is not an arrow", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3 > RELU", "E002", "`>` is not an arrow", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3 -> -> RELU", "E006", "nothing between two arrows", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3 ->", "E006", "nothing after `->`", "CONV 64 3x3"),
    ("CONV 64 3x3 BN RELU", "E006", "missing `->` before `BN`", "CONV 64 3x3 -> BN -> RELU"),
    ("CONV 64 3x3, BN, RELU", "E006", "missing `->` before `, BN`", "CONV 64 3x3 -> BN -> RELU"),
    ("CONV 64 3x3 + BN + RELU", "E006", "missing `->` before `+ BN`", "CONV 64 3x3 -> BN -> RELU"),
    ("CONV 64 3x3 | RELU", "E006", "missing `->` before `| RELU`", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3 and RELU", "E006", "missing `->` before `and RELU`", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3; RELU", "E006", "missing `->` before `; RELU`", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3 -> relu", "E001", "layers are written in capitals: `relu`", "CONV 64 3x3 -> RELU"),
    ("CONV 64 3x3;", "E001", "a line ends without `;`", "CONV 64 3x3"),
    ("CONV 64 3x3.", "E001", "a line ends without `.`", "CONV 64 3x3"),
    ("CONV 64 3х3", "E002", "`х` is Cyrillic Ha (U+0445), not the letter `x`", "CONV 64 3x3"),
    ('CONV "64" 3x3', "E001", 'unexpected quotes: `"64"`', "CONV 64 3x3"),
    ("CONV “64” 3x3", "E001", 'unexpected quotes: `"64"`', "CONV 64 3x3"),
    ("**CONV 64 3x3**", "E001", "unexpected markup: `**`", "CONV 64 3x3"),
    ("<b>CONV 64 3x3</b>", "E001", "unexpected markup: `<b>`", "CONV 64 3x3"),
    ("CONV(64, 3x3, p1)", "E001", "a layer is not called with parentheses", "CONV 64 3x3 p1"),
    ("CONV 64 (3,3)", "E001", "a size is written `3x3`, got `(3,3)`", "CONV 64 3x3"),
    ("CONV 64 [3,3]", "E001", "a size is written `3x3`, got `[3,3]`", "CONV 64 3x3"),
    ("CONV 64 3X3", "E001", "a size is written `3x3`, got `3X3`", "CONV 64 3x3"),
    ("CONV 64@3x3", "E001", "unexpected `@` in `64@3x3`", "CONV 64 3x3"),
    ("CONV 64 3x3 /2 p1", "E001", "a stride is written `s2`, got `/2`", "CONV 64 3x3 s2 p1"),
    ("CONV 64 3x3, /2 p1", "E001", "a stride is written `s2`, got `, /2`", "CONV 64 3x3 s2 p1"),
    (
        "CONV 64 3x3 stride: 2 pad: 1",
        "E001",
        "an argument is named with `=`, got `stride:`",
        "CONV 64 3x3 stride=2 pad=1",
    ),
    ("CONV 64 3x3 stride==1", "E001", "`==` does not set a value", "CONV 64 3x3 stride=1"),
    ("CONV 64 3x3, activation: ReLU", "E001", "an activation is a step: `, activation: ReLU`", "CONV 64 3x3 -> RELU"),
    ("Flatten()", "E001", "an FC flattens a map by itself", ""),
    ("Thank you!", "E001", "line 2 is prose", "# Thank you!"),
    ("DROPOUT .5", "E001", "a number begins with a digit", "DROPOUT 0.5"),
    ("DROPOUT 50%", "E001", "`50%` is not a number", "DROPOUT 0.5"),
    ("3 * RELU", "E001", "a repeat is written with `x`, got `3 *`", "3 x RELU"),
    (
        "(CONV 8 3x3 p1 -> RELU) x 2",
        "E001",
        "steps in brackets are not repeated",
        "CONV 8 3x3 p1 -> RELU -> CONV 8 3x3 p1 -> RELU",
    ),
    ("x = RELU", "E001", "a step is not assigned to a name: `x =`", "RELU"),
    ("stem = RELU", "E001", "a step is not assigned to a name: `stem =`", "stem: RELU"),
    ("Layer 1: RELU", "E001", "`Layer 1:` is not a label", "layer_1: RELU"),
    ("conv1: 64 3x3", "E001", "layers are written in capitals: `conv1`", "CONV1: 64 3x3"),
    ("3x3 conv, 64", "E001", "the layer comes first: `3x3 conv, 64`", "CONV 64 3x3"),
    ("64 3x3 conv", "E001", "the layer comes first: `64 3x3 conv`", "CONV 64 3x3"),
    ("max pool 2x2 s2", "E001", "layers are written in capitals: `max pool`", "MAXPOOL 2x2 s2"),
    ("global average pooling", "E001", "layers are written in capitals: `global average pooling`", "GAP"),
    ("CONV 64 3x3 ...", "E001", "`...` leaves something out: a spec has all layers", "CONV 64 3x3"),
    ("RELU (10 classes)", "E001", "a note that cannot be read: `(10 classes)`", "RELU"),
    ("for i in range(3): RELU", "E001", "a repeat is written `3 x`, got `for i in range(3):`", "3 x RELU"),
    ("12", "E001", "line 2 is a page number", "# 12"),
    ("Page 12", "E001", "line 2 is prose", "# Page 12"),
    ("Case Study: AlexNet", "E001", "line 2 is prose", "# Case Study: AlexNet"),
    ("The first layer is a convolution.", "E001", "line 2 is prose", "# The first layer is a convolution."),
    ("[Krizhevsky et al. 2012]", "E001", "line 2 is prose", "# [Krizhevsky et al. 2012]"),
    ("Lecture 9 - 12", "E001", "line 2 is prose", "# Lecture 9 - 12"),
    ("Архитектура сети", "E001", "line 2 is prose", "# Архитектура сети"),
    ("https://example.org/vgg", "E001", "line 2 is prose", "# https://example.org/vgg"),
    (
        "nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3)",
        "E001",
        "`nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3)` is Python, not a line of a spec",
        "CONV 64 7x7 s2 p3",
    ),
    (
        "self.fc = nn.Linear(3072, 10)",
        "E001",
        "`self.fc = nn.Linear(3072, 10)` is Python, not a line of a spec",
        "FC 10",
    ),
    (
        "Conv2D(64, (3, 3), strides=2, padding='same', activation='relu')",
        "E001",
        "`Conv2D(64, (3, 3), strides=2, padding='same', activation='relu')` is Python, not a line of a spec",
        "CONV 64 3x3 s2 p0:1 -> RELU",
    ),
    ("MaxPool2d(2)", "E001", "`MaxPool2d(2)` is Python, not a line of a spec", "MAXPOOL 2x2 s2"),
]

# lines under an input of 8x8x4, the code, the message, and the lines after the first help
UNDER = [
    ("sum\n    | CONV 4 1x1\n    | x", "E102", "unknown merge `sum`", "add\n    | CONV 4 1x1\n    | x"),
    ("Concat\n    | CONV 4 1x1\n    | x", "E102", "unknown merge `Concat`", "concat\n    | CONV 4 1x1\n    | x"),
    ("add\n    | CONV 4 1x1\n    | X", "E005", "`X` is not a step", "add\n    | CONV 4 1x1\n    | x"),
    ("add:\n    | CONV 4 1x1\n    | x", "E001", "a line ends without `:`", "add\n    | CONV 4 1x1\n    | x"),
    ("add\n    CONV 4 1x1\n    x", "E005", "`add` has no branches under it", "add\n    | CONV 4 1x1\n    | x"),
    (
        "add -> RELU\n    | CONV 4 1x1\n    | x",
        "E005",
        "`add` must be the last step of its line",
        "add\n    | CONV 4 1x1\n    | x\nRELU",
    ),
    (
        "RELU\n    | CONV 4 1x1\n    | x",
        "E005",
        "branches under a line that does not end with a merge",
        "RELU -> add\n    | CONV 4 1x1\n    | x",
    ),
    ("    CONV 4 1x1\n    RELU", "E004", "unexpected indentation", "CONV 4 1x1\nRELU"),
    ("CONV 4\n3x3 same\nRELU", "E001", "the line begins with an argument", "CONV 4 3x3 same\nRELU"),
    ("FC (2*(3+4)", "E012", "unclosed `(`", "FC (2*(3+4))"),
    ("FC 2*3)", "E012", "unmatched `)`", "FC 2*3"),
    (
        "FC 10\ntrain:\n    epochs: 90\n    lr = 0.1",
        "E001",
        "a line ends without `:`",
        "FC 10\ntrain\n    epochs: 90\n    lr = 0.1",
    ),
    (
        "FC 10\ntrain:\n    epochs: 90\n    lr = 0.1",
        "E001",
        "a setting is written without `=`: `epochs:`",
        "FC 10\ntrain:\n    epochs 90\n    lr 0.1",
    ),
    ("FC 10\ntrain epochs 90", "E001", "`train` is followed by the lines under it", "FC 10\ntrain\n    epochs 90"),
]
# a text, the code, the message of one of its findings, and the text after its first help
TEXTS = [
    *((f"{SMALL}{lines}\n", code, message, f"{SMALL}{mended}\n") for lines, code, message, mended in UNDER),
    (
        "[224,224,3] INPUT\n",
        "E001",
        "the sizes of a volume are joined by `x`, got `[224,224,3]`",
        "[224x224x3] INPUT\n",
    ),
    (
        "INPUT = [224x224x3]\n",
        "E001",
        "a volume is written `[224x224x3] INPUT`, got `INPUT = [224x224x3]`",
        "[224x224x3] INPUT\n",
    ),
    ("224x224x3 INPUT\n", "E001", "a volume is written in brackets, got `224x224x3 INPUT`", "[224x224x3] INPUT\n"),
    (
        "INPUT(224,224,3)\n",
        "E001",
        "a volume is written `[224x224x3] INPUT`, got `INPUT(224,224,3)`",
        "[224x224x3] INPUT\n",
    ),
    (
        "INPUT left: [28x28x1]\n",
        "E001",
        "the volume of an input is written first, got `INPUT left: [28x28x1]`",
        "[28x28x1] left: INPUT\n",
    ),
    (
        "left: [28x28x1] INPUT\n",
        "E001",
        "a label is written after the volume, got `left: [28x28x1]`",
        "[28x28x1] left: INPUT\n",
    ),
    (
        "input: 224x224x3\n",
        "E001",
        "a volume is written `[224x224x3] INPUT`, got `input: 224x224x3`",
        "[224x224x3] INPUT\n",
    ),
    (
        "input 224x224 RGB\n",
        "E001",
        "a volume is written `[224x224x3] INPUT`, got `input 224x224 RGB`",
        "[224x224x3] INPUT\n",
    ),
    ("[None, 224, 224, 3] INPUT\n", "E001", "a volume has no batch: `[None, 224, 224, 3]`", "[224x224x3] INPUT\n"),
    (
        "(224, 224, 3) INPUT\n",
        "E001",
        "a volume is written in brackets, got `(224, 224, 3) INPUT`",
        "[224x224x3] INPUT\n",
    ),
    (
        "[3,224,224] INPUT\n",
        "E001",
        "the sizes of a volume are joined by `x`, got `[3,224,224]`",
        "[224x224x3] INPUT\n",
    ),
    ("224x224x3\n", "E001", "a volume is written `[224x224x3] INPUT`, got `224x224x3`", "[224x224x3] INPUT\n"),
    ("[224x224x3 INPUT\n", "E012", "unclosed `[`", "[224x224x3] INPUT\n"),
    ("224x224x3] INPUT\n", "E012", "unmatched `]`", "[224x224x3] INPUT\n"),
    ("AlexNet\n[8x8x4] INPUT\n", "E001", "line 1 is prose", "# AlexNet\n[8x8x4] INPUT\n"),
    ("VGG-16 architecture\n[8x8x4] INPUT\n", "E001", "line 1 is prose", "# VGG-16 architecture\n[8x8x4] INPUT\n"),
    ("net: ResNet\n[8x8x4] INPUT\n", "E001", "a title is written `net ResNet`", "net ResNet\n[8x8x4] INPUT\n"),
    (
        "blok unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "unknown keyword `blok`",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "def unit(f):\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "unknown keyword `def`",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit(f):\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "a line ends without `:`",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit(f) {\n    CONV f 3x3\n}\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "a line ends without `{`",
        "block unit(f)\n    CONV f 3x3\n\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit f\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "the parameters of a block are in parentheses",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit(f): CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "`block` is followed by the lines under it",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit(int f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "a parameter has no type: `int`",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block Unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nUnit(4)\n",
        "E001",
        "the name of a block is in lower case, without `-`: `Unit`",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit-a(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit-a(4)\n",
        "E001",
        "the name of a block is in lower case, without `-`: `unit-a`",
        "block unit_a(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit_a(4)\n",
    ),
    (
        "block unit(f)\nCONV f 3x3\n\n[8x8x4] INPUT\nunit(4)\n",
        "E005",
        "nothing is indented under this line",
        "block unit(f)\n    CONV f 3x3\n\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit(f)\n    x = CONV f 1x1\n    return x\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "a step is not assigned to a name: `x =`",
        "block unit(f)\n    CONV f 1x1\n    return x\n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        "block unit(f)\n    x = CONV f 1x1\n    return x\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "a block has no `return`: its last line is its result",
        "block unit(f)\n    x = CONV f 1x1\n    \n[8x8x4] INPUT\nunit(4)\n",
    ),
    (
        ARMS,
        "E001",
        "`=` does not compare",
        ARMS.replace("C = f", "C == f"),
    ),
    (
        ARMS,
        "E001",
        "unexpected `&&`",
        ARMS.replace("&& !(H > 2)", "and not (H > 2)"),
    ),
    (
        ARMS,
        "E001",
        "a line ends without `:`",
        ARMS.replace(":\n", "\n"),
    ),
    (
        ARMS,
        "E001",
        "unknown keyword `elif`",
        ARMS.replace("elif", "else if"),
    ),
    (
        "param width: 4\n[8x8x4] INPUT\nFC width\n",
        "E001",
        "missing `=` in `param width:`",
        "param width = 4\n[8x8x4] INPUT\nFC width\n",
    ),
    ("let w 4\n[8x8x4] INPUT\nFC w\n", "E001", "missing `=` in `let w`", "let w = 4\n[8x8x4] INPUT\nFC w\n"),
    ("w = 4\n[8x8x4] INPUT\nFC w\n", "E001", "a value is named with `let`", "let w = 4\n[8x8x4] INPUT\nFC w\n"),
    ("let w := 4\n[8x8x4] INPUT\nFC w\n", "E001", "`:=` does not set a value", "let w = 4\n[8x8x4] INPUT\nFC w\n"),
    (
        "param w = 1\nvariant small w=2\n[8x8x4] INPUT\nFC w\n",
        "E001",
        "missing `:` in `variant small`",
        "param w = 1\nvariant small: w=2\n[8x8x4] INPUT\nFC w\n",
    ),
    (
        "after CONV -> RELU\n[8x8x4] INPUT\nCONV 4 3x3\nFC 10\n",
        "E001",
        "`after` and its layers end with `:`, got `after CONV ->`",
        "after CONV: RELU\n[8x8x4] INPUT\nCONV 4 3x3\nFC 10\n",
    ),
    (
        "after conv: RELU\n[8x8x4] INPUT\nCONV 4 3x3\nFC 10\n",
        "E001",
        "`after` and its layers end with `:`, got `after conv:`",
        "after CONV: RELU\n[8x8x4] INPUT\nCONV 4 3x3\nFC 10\n",
    ),
    (
        "Block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
        "E001",
        "keywords are in lower case: `Block`",
        "block unit(f)\n    CONV f 3x3\n[8x8x4] INPUT\nunit(4)\n",
    ),
    ("[8x8x4]\tINPUT\n[6x6x8]\tCONV 8 3x3\n", "E003", "a tab between words", "[8x8x4] INPUT\n[6x6x8] CONV 8 3x3\n"),
    (
        "block b()\n\tRELU\n\tadd\n\t\t| CONV 4 1x1\n\t\t| x\n[8x8x4] INPUT\nb()\n",
        "E003",
        "a tab in the indentation",
        "block b()\n    RELU\n    add\n        | CONV 4 1x1\n        | x\n[8x8x4] INPUT\nb()\n",
    ),
    (
        "use resnet.bottleneck\n[8x8x256] INPUT\nbottleneck(64)\n",
        "E001",
        "blocks are imported with `use`: `use resnet.`",
        "use resnet: bottleneck\n[8x8x256] INPUT\nbottleneck(64)\n",
    ),
    (
        "block b()\n    RELU\n    train\n        epochs 90\n[8x8x4] INPUT\nb()\nFC 10\n",
        "E005",
        "a declaration inside `block`",
        "block b()\n    RELU\n[8x8x4] INPUT\nb()\nFC 10\ntrain\n    epochs 90\n",
    ),
]
ALL = [*(f"{INPUT}{line}\n" for line, *_ in LINES), *(text for text, *_ in TEXTS)]


def after_the_help(finding: Diagnostic) -> str:
    edits = finding.fixes[0].edits
    return applied(edits[0].at.source, edits)


@pytest.mark.parametrize(("line", "code", "message", "mended"), LINES)
def test_a_line_has_one_mistake_and_the_help_mends_it(line: str, code: str, message: str, mended: str) -> None:
    (finding,) = findings_in(f"{INPUT}{line}\n")
    assert (finding.code, finding.message) == (code, message)
    assert finding.span is not None
    assert finding.span.line == 2
    assert after_the_help(finding) == f"{INPUT}{mended}\n"


@pytest.mark.parametrize(("text", "code", "message", "mended"), TEXTS)
def test_a_mistake_is_told_once_and_the_help_mends_it(text: str, code: str, message: str, mended: str) -> None:
    (finding,) = [one for one in findings_in(text) if (one.code, one.message) == (code, message)]
    assert after_the_help(finding) == mended


@pytest.mark.parametrize("text", ALL)
def test_each_help_works_when_applied_alone(text: str) -> None:
    tried = list(trials(text))
    assert tried
    assert [trial.help for trial in tried if not trial.works] == []


@pytest.mark.parametrize("text", ALL)
def test_all_helps_that_nothing_else_can_be_meant_by_give_a_spec_without_errors(text: str) -> None:
    for _ in range(3):
        edits = [edit for one in findings_in(text) for fix in one.fixes[:1] for edit in fix.edits]
        text = applied(edits[0].at.source, edits) if edits else text
    archspec.loads(text)


def test_a_kind_of_mistake_is_one_finding_for_a_file_and_one_help_for_all_its_lines() -> None:
    (finding,) = findings_in(INPUT + "CONV 8 3x3 => RELU\n" * 5)
    assert [label.span.line for label in finding.labels] == [2, 3, 4]
    assert finding.notes == ("so are 2 other lines",)
    assert after_the_help(finding) == INPUT + "CONV 8 3x3 -> RELU\n" * 5


def test_prose_is_told_once_and_hides_nothing() -> None:
    lines = ["Case Study: AlexNet", INPUT.strip(), "The first layer is a convolution.", "CONV 8 3x3 -> RELU"]
    text = "\n".join([*lines, "CONVV 8 3x3", "This is the end."])
    prose, other = findings_in(text)
    assert prose.message == "line 1 is prose"
    assert str(prose.helps[0]) == "put `#` before each"
    assert [label.span.line for label in prose.labels] == [1, 3, 6]
    assert other.span is not None
    assert other.span.line == 5


def test_what_follows_a_line_that_was_mended_is_checked() -> None:
    """The volumes after the line are known, so the bracket is wrong and the INPUT is not missing."""
    assert [one.code for one in findings_in("224x224x3 INPUT\n[9x9x9] CONV 8 3x3 => RELU\n")] == [
        "E001",
        "E301",
        "E002",
    ]


def test_an_unread_if_does_not_make_its_else_an_error() -> None:
    text = "block unit(f)\n    if C ? f\n        x\n    else\n        RELU\n[8x8x4] INPUT\nunit(4)\n"
    assert [one.code for one in findings_in(text)] == ["E001"]


def test_braces_and_ends_of_other_languages_are_dropped() -> None:
    body = "block unit(f)\n    if f > 3{}\n        RELU\n    {}else{}\n        BN\n{}[8x8x4] INPUT\nunit(4)\n"
    for text in (body.format(" {", "} ", " {", "    }\n"), body.format(" then", "", "", "    end\n")):
        for finding in findings_in(text):
            assert finding.fixes[0].is_safe, finding
        assert all(trial.works for trial in trials(text))


def test_an_indented_line_that_continues_the_arguments_above_is_one_mistake() -> None:
    (finding,) = findings_in("[8x8x4] INPUT\nCONV 4 3x3,\n  s1, p1\nRELU\n")
    assert finding.message == "the line begins with an argument"
    assert after_the_help(finding) == "[8x8x4] INPUT\nCONV 4 3x3, s1, p1\nRELU\n"


def test_a_mended_line_is_quoted_as_it_stands() -> None:
    (finding, *_) = findings_in(f"{INPUT}CONV\u00a064 3х3\n")
    assert "CONV\u00a064 3х3".replace("\u00a0", "\ufffd") in render(finding).replace("\u00a0", "\ufffd")


STRANGE = [
    *(sign * 390 for sign in ("(", "[", '"', "и", "х", "\u200b")),
    *(sign * 190 for sign in ("a ", "-> ", "x=", "1 ", "{(", "- ", "1x", "( ", "– ")),
    "CONV, " * 65,
    f"conv{' ' * 380}3",
    f"{'A' * 389}(",
    f"[1{' 1' * 190}",
    "nn.A(" * 78,
]


@pytest.mark.parametrize("line", STRANGE)
def test_a_strange_line_is_explained_quickly(line: str) -> None:
    start = time.process_time()
    findings_in(INPUT + (line + "\n") * 5)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "text",
    [
        "[8x8x4] INPUT\n| RELU\nRELU\nRELU\nRELU\n",
        "[8x8x4] INPUT\nadd\n    | RELU\n    | x\n    RELU\n    RELU\n    RELU\nRELU\n",
        "block b()\n    add\n        | RELU\n        | x\n        RELU\n        RELU\n    RELU\n[8x8x4] INPUT\nb()\n",
    ],
)
def test_a_line_among_branches_is_told_once(text: str) -> None:
    (finding,) = findings_in(text)
    assert finding.code in ("E004", "E005")
