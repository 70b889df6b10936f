"""Correct specs of every kind have no finding: what the language's page allows is never taken for a mistake."""

import pytest

from support.helps import findings_in

I = "[16x16x8] INPUT\n"
UNIT = "block unit(f, stride=1)\n    CONV f 3x3 stride=stride p1 floor -> RELU\n"

SPECS = {
    "a family whose parameter only a variant uses": (
        "param width = 1\nparam depth = 2\nvariant big: width=2, depth=2*2\n"
        + I
        + "CONV 8*width 3x3 p1 -> RELU\ndepth x RELU\nGAP -> FC 10\n"
    ),
    "a parameter that a parameter uses": (
        "param f = 8\nparam g = 2*f\n" + I + "CONV g 3x3 p1 -> RELU\nGAP -> FC 10\n"
    ),
    "a block as a parameter of the file": (
        UNIT
        + "block other(f, stride=1)\n    CONV f 1x1 stride=stride floor -> RELU\n"
        + "param body = unit\nvariant light: body=other\n"
        + I
        + "body(8)\nGAP -> FC 10\n"
    ),
    "a block as an argument": (
        UNIT
        + "block stage(body, f, n)\n    body(f, 2)\n    (n-1) x body(f)\n"
        + I
        + "stage(unit, 8, 3)\nstage(n=1, f=8, body=unit)\nGAP -> FC 10\n"
    ),
    "a block passed through two calls": (
        UNIT
        + "block twice(body, f)\n    2 x body(f)\nblock stage(body, f)\n    twice(body, f)\n"
        + I
        + "stage(unit, 8)\nGAP -> FC 10\n"
    ),
    "defaults that are expressions": (
        "block b(f=2*C, g=f/2, h=min(f, H))\n    CONV f 3x3 p1 -> RELU -> CONV g 1x1 -> RELU\n    CONV h 1x1 -> RELU\n"
        + I
        + "b()\nb(8)\nb(g=4)\nGAP -> FC 10\n"
    ),
    "a block without parameters": (
        "block b()\n    CONV C 3x3 p1 -> RELU\n" + I + "b()\n2 x b()\nGAP -> b2()\nblock b2()\n    FC 10\n"
    ),
    "a block that uses one below it": (
        "block outer(f)\n    inner(f) -> RELU\nblock inner(f)\n    CONV f 1x1\n" + I + "outer(8)\nGAP -> FC 10\n"
    ),
    "recursion with a depth": (
        "block fork(f, depth)\n    if depth == 1\n        CONV f 3x3 p1 -> RELU\n    else\n        concat\n"
        "            | fork(f, depth-1)\n            | CONV f 1x1 -> RELU\n" + I + "fork(4, 3)\nGAP -> FC 10\n"
    ),
    "a shortcut that is needed only sometimes": (
        "block shortcut(f, stride)\n    if C == f and stride == 1\n        x\n    else\n"
        "        CONV f 1x1 stride=stride floor -> BN\n"
        "block basic(f, stride=1)\n    add\n        | CONV f 3x3 stride=stride p1 floor -> BN -> RELU -> CONV f 3x3 p1 -> BN\n"
        "        | shortcut(f, stride)\n    RELU\n" + I + "basic(8)\nbasic(16, 2)\nGAP -> FC 10\n"
    ),
    "an if without an else": (
        "block b(f, act=1)\n    CONV f 3x3 p1\n    if act == 1\n        RELU\n" + I + "b(8)\nb(8, 1)\nGAP -> FC 10\n"
    ),
    "an if in a branch": (
        "block b(f, se=0)\n    mul\n        | x\n        | GAP -> FC C -> SIGMOID\n    if se > 0\n        CONV f 1x1 -> RELU\n"
        + I
        + "b(8)\nb(8, se=1)\nGAP -> FC 10\n"
    ),
    "else if": (
        "block b(n)\n    if n == 1\n        RELU\n    else if n == 2\n        TANH\n    else\n        SIGMOID\n"
        + I
        + "b(1)\nb(2)\nb(3)\nGAP -> FC 10\n"
    ),
    "a let in a block and one in the network": (
        "block b(f)\n    let g = 2*f\n    CONV g 1x1 -> RELU -> CONV f 1x1 -> RELU\n"
        + I
        + "let g = 4\nb(g)\nGAP -> FC g+6\n"
    ),
    "a let in both arms": (
        "block b(f)\n    if f > 4\n        let g = 2\n        CONV g*f 1x1 -> RELU\n    else\n        let g = 3\n"
        "        CONV g*f 1x1 -> RELU\n" + I + "b(8)\nb(4)\nGAP -> FC 10\n"
    ),
    "a volume as a parameter": (
        "block join(f, @skip)\n    concat\n        | UPSAMPLE 2\n        | @skip\n    CONV f 3x3 p1 -> RELU\n"
        + I
        + "top: CONV 8 3x3 p1 -> RELU\nPOOL 2x2 s2 -> CONV 8 3x3 p1 -> RELU\njoin(8, @top)\nGAP -> FC 10\n"
    ),
    "the volume before as a default": (
        "block back(@skip=@before)\n    add\n        | x\n        | @skip\n"
        + I
        + "RELU -> CONV 8 3x3 p1 -> back() -> RELU\nGAP -> FC 10\n"
    ),
    "a line that begins with a result": (
        I + "a: CONV 8 3x3 p1 -> RELU\nb: @a -> CONV 8 1x1 -> RELU\nconcat\n    | @a\n    | @b\n    | @input\nGAP -> FC 10\n"
    ),
    "branches of several lines": (
        I + "add\n    | CONV 8 3x3 p1 -> RELU\n      CONV 8 3x3 p1\n    | x\nRELU\nGAP -> FC 10\n"
    ),
    "merges in merges": (
        I + "concat\n    | add\n        | CONV 8 1x1\n        | x\n    | mul\n        | CONV 8 1x1 -> SIGMOID\n        | x\n"
        "RELU\nGAP -> FC 10\n"
    ),
    "labels as on slides": (
        I + "[16x16x8] CONV1: 8 3x3 filters at stride 1, pad 1 -> RELU\n[8x8x8] MAX POOL1: 2x2 filters at stride 2\n"
        "[8x8x8] CONV2: 8 3x3 filters at stride 1, pad 1 -> RELU\n[10] FC3: 10 neurons\n"
    ),
    "names with a dash and a number": (
        I + "CONV3-8 -> RELU\nCONV3-8 -> RELU\nPOOL2\nFC-16 -> RELU\nFC-10\n"
    ),
    "a repeat of 0": ("param n = 0\n" + UNIT + I + "n x unit(8)\n0 x CONV 8 1x1 -> RELU\nGAP -> FC 10\n"),
    "a repeat of an expression": (UNIT + I + "(3-2) x unit(8)\nGAP -> FC 10\n"),
    "brackets with expressions": (
        "block down(f)\n    [H/2 x W/2 x f] CONV f 3x3 s2 p1 floor -> RELU\n" + I + "down(16)\n[8x8x16]\nGAP -> FC 10\n"
    ),
    "an auxiliary classifier": (
        I + "CONV 8 3x3 p1 -> RELU\naux 0.3: GAP -> FC 10\nCONV 8 3x3 p1 -> RELU\nGAP -> FC 10\n"
    ),
    "a weight of an auxiliary classifier as a parameter": (
        "param share = 0.4\n" + I + "CONV 8 3x3 p1 -> RELU\naux (share/2): GAP -> FC 10\nRELU\nGAP -> FC 10\n"
    ),
    "after and init": (
        "after CONV: BN -> RELU\nafter FC: DROPOUT 0.5\ninit CONV FC: 0.02\n"
        + I
        + "CONV 8 3x3 p1\nCONV 8 3x3 p1\nGAP\nFC 16 -> RELU\nFC 10\n"
    ),
    "init from a parameter": ("param std = 0.02\ninit FC: std/2\n" + I + "GAP -> FC 10\n"),
    "used blocks": (
        "use resnet: basic, bottleneck\n" + I + "basic(8)\nbottleneck(4, 2)\nGAP -> FC 10\n"
    ),
    "a used block that takes a block": ("use resnet: stage, basic\n" + I + "stage(basic, 8, 2, 1)\nGAP -> FC 10\n"),
    "a used recipe": ("use resnet: basic, train\n" + I + "basic(8)\nGAP -> FC 10\n"),
    "a train section with other words": (
        I + "GAP -> FC 10\ntrain\n    epochs 10\n    optimizer sgd momentum=0.9 weight_decay=5e-4\n    lr 0.1 for batch 128 cosine\n"
    ),
    "noise words and signs": (
        "net example  # a comment\n" + I + "CONV 8 3×3 filters, stride 1, pad 1 → RELU  # another\nGAP -> FC 10 neurons\n"
    ),
    "lets that lets use": (I + "let a = 2\nlet b = a*4\nCONV b 3x3 p1 -> RELU\nGAP -> FC a+b\n"),
    "functions": (
        I + "CONV max(4, round8(7)) 3x3 p1 -> RELU\nCONV ceil(7/2) 1x1 -> RELU -> CONV floor(sqrt(64)) 1x1 -> RELU\nGAP -> FC 10\n"
    ),
    "conditions with and, or, not": (
        "block b(f, n)\n    if not (f == 4 or n == 2) and n < 9\n        CONV f 1x1 -> RELU\n    else\n        RELU\n"
        + I
        + "b(8, 1)\nb(4, 1)\nGAP -> FC 10\n"
    ),
    "a sequence": ("[12x32] INPUT\nadd\n    | LN -> MHSA 4\n    | x\nLN\nGAP -> FC 10\n"),
    "a vector": ("[64] INPUT\nFC 32 -> RELU -> DROPOUT 0.5\nFC 10 -> SOFTMAX\n"),
    "a dimension in a block": ("block se(r)\n    mul\n        | GAP -> FC C/r -> RELU -> FC C -> SIGMOID\n        | x\n" + I + "se(4)\nGAP -> FC 10\n"),
    "a label of the last step in a block": (
        "block b(f)\n    out: CONV f 1x1 -> RELU\n    add\n        | CONV f 3x3 p1 -> RELU\n        | @out\n" + I + "b(8)\nGAP -> FC 10\n"
    ),
    "the same label in two blocks": (
        "block b(f)\n    a: CONV f 1x1 -> RELU\n    mul\n        | @a\n        | SIGMOID\nblock c(f)\n    a: RELU\n    b(f)\n    add\n"
        "        | @a\n        | x\n" + I + "a: c(8)\nadd\n    | RELU\n    | @a\nGAP -> FC 10\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_a_correct_spec_has_no_finding(name: str) -> None:
    assert [(finding.span and finding.span.line, finding.message) for finding in findings_in(SPECS[name])] == []
