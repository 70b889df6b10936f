"""Correct specs of every kind have no finding: what the language's page allows is never taken for a mistake."""

import pytest

from support.helps import findings_in

SPECS = {
    "a family whose parameter only a variant uses": """\
param width = 1
param depth = 2
variant big: width=2, depth=2*2
[16x16x8] INPUT
CONV 8*width 3x3 p1 -> RELU
depth x RELU
GAP -> FC 10
""",
    "a parameter that a parameter uses": """\
param f = 8
param g = 2*f
[16x16x8] INPUT
CONV g 3x3 p1 -> RELU
GAP -> FC 10
""",
    "a block as a parameter of the file": """\
block unit(f, stride=1)
    CONV f 3x3 stride=stride p1 floor -> RELU
block other(f, stride=1)
    CONV f 1x1 stride=stride floor -> RELU
param body = unit
variant light: body=other
[16x16x8] INPUT
body(8)
GAP -> FC 10
""",
    "a block as an argument": """\
block unit(f, stride=1)
    CONV f 3x3 stride=stride p1 floor -> RELU
block stage(body, f, n)
    body(f, 2)
    (n-1) x body(f)
[16x16x8] INPUT
stage(unit, 8, 3)
stage(n=1, f=8, body=unit)
GAP -> FC 10
""",
    "a block passed through two calls": """\
block unit(f, stride=1)
    CONV f 3x3 stride=stride p1 floor -> RELU
block twice(body, f)
    2 x body(f)
block stage(body, f)
    twice(body, f)
[16x16x8] INPUT
stage(unit, 8)
GAP -> FC 10
""",
    "defaults that are expressions": """\
block b(f=2*C, g=f/2, h=min(f, H))
    CONV f 3x3 p1 -> RELU -> CONV g 1x1 -> RELU
    CONV h 1x1 -> RELU
[16x16x8] INPUT
b()
b(8)
b(g=4)
GAP -> FC 10
""",
    "a block without parameters": """\
block b()
    CONV C 3x3 p1 -> RELU
[16x16x8] INPUT
b()
2 x b()
GAP -> b2()
block b2()
    FC 10
""",
    "a block that uses one below it": """\
block outer(f)
    inner(f) -> RELU
block inner(f)
    CONV f 1x1
[16x16x8] INPUT
outer(8)
GAP -> FC 10
""",
    "recursion with a depth": """\
block fork(f, depth)
    if depth == 1
        CONV f 3x3 p1 -> RELU
    else
        concat
            | fork(f, depth-1)
            | CONV f 1x1 -> RELU
[16x16x8] INPUT
fork(4, 3)
GAP -> FC 10
""",
    "a shortcut that is needed only sometimes": """\
block shortcut(f, stride)
    if C == f and stride == 1
        x
    else
        CONV f 1x1 stride=stride floor -> BN
block basic(f, stride=1)
    add
        | CONV f 3x3 stride=stride p1 floor -> BN -> RELU -> CONV f 3x3 p1 -> BN
        | shortcut(f, stride)
    RELU
[16x16x8] INPUT
basic(8)
basic(16, 2)
GAP -> FC 10
""",
    "an if without an else": """\
block b(f, act=1)
    CONV f 3x3 p1
    if act == 1
        RELU
[16x16x8] INPUT
b(8)
b(8, 1)
GAP -> FC 10
""",
    "an if in a branch": """\
block b(f, se=0)
    mul
        | x
        | GAP -> FC C -> SIGMOID
    if se > 0
        CONV f 1x1 -> RELU
[16x16x8] INPUT
b(8)
b(8, se=1)
GAP -> FC 10
""",
    "else if": """\
block b(n)
    if n == 1
        RELU
    else if n == 2
        TANH
    else
        SIGMOID
[16x16x8] INPUT
b(1)
b(2)
b(3)
GAP -> FC 10
""",
    "a let in a block and one in the network": """\
block b(f)
    let g = 2*f
    CONV g 1x1 -> RELU -> CONV f 1x1 -> RELU
[16x16x8] INPUT
let g = 4
b(g)
GAP -> FC g+6
""",
    "a let in both arms": """\
block b(f)
    if f > 4
        let g = 2
        CONV g*f 1x1 -> RELU
    else
        let g = 3
        CONV g*f 1x1 -> RELU
[16x16x8] INPUT
b(8)
b(4)
GAP -> FC 10
""",
    "a volume as a parameter": """\
block join(f, @skip)
    concat
        | UPSAMPLE 2
        | @skip
    CONV f 3x3 p1 -> RELU
[16x16x8] INPUT
top: CONV 8 3x3 p1 -> RELU
POOL 2x2 s2 -> CONV 8 3x3 p1 -> RELU
join(8, @top)
GAP -> FC 10
""",
    "the volume before as a default": """\
block back(@skip=@before)
    add
        | x
        | @skip
[16x16x8] INPUT
RELU -> CONV 8 3x3 p1 -> back() -> RELU
GAP -> FC 10
""",
    "a line that begins with a result": """\
[16x16x8] INPUT
a: CONV 8 3x3 p1 -> RELU
b: @a -> CONV 8 1x1 -> RELU
concat
    | @a
    | @b
    | @input
GAP -> FC 10
""",
    "branches of several lines": """\
[16x16x8] INPUT
add
    | CONV 8 3x3 p1 -> RELU
      CONV 8 3x3 p1
    | x
RELU
GAP -> FC 10
""",
    "merges in merges": """\
[16x16x8] INPUT
concat
    | add
        | CONV 8 1x1
        | x
    | mul
        | CONV 8 1x1 -> SIGMOID
        | x
RELU
GAP -> FC 10
""",
    "labels as on slides": """\
[16x16x8] INPUT
[16x16x8] CONV1: 8 3x3 filters at stride 1, pad 1 -> RELU
[8x8x8] MAX POOL1: 2x2 filters at stride 2
[8x8x8] CONV2: 8 3x3 filters at stride 1, pad 1 -> RELU
[10] FC3: 10 neurons
""",
    "names with a dash and a number": """\
[16x16x8] INPUT
CONV3-8 -> RELU
CONV3-8 -> RELU
POOL2
FC-16 -> RELU
FC-10
""",
    "a repeat of 0": """\
param n = 0
block unit(f, stride=1)
    CONV f 3x3 stride=stride p1 floor -> RELU
[16x16x8] INPUT
n x unit(8)
0 x CONV 8 1x1 -> RELU
GAP -> FC 10
""",
    "a repeat of an expression": """\
block unit(f, stride=1)
    CONV f 3x3 stride=stride p1 floor -> RELU
[16x16x8] INPUT
(3-2) x unit(8)
GAP -> FC 10
""",
    "brackets with expressions": """\
block down(f)
    [H/2 x W/2 x f] CONV f 3x3 s2 p1 floor -> RELU
[16x16x8] INPUT
down(16)
[8x8x16]
GAP -> FC 10
""",
    "an auxiliary classifier": """\
[16x16x8] INPUT
CONV 8 3x3 p1 -> RELU
aux 0.3: GAP -> FC 10
CONV 8 3x3 p1 -> RELU
GAP -> FC 10
""",
    "a weight of an auxiliary classifier as a parameter": """\
param share = 0.4
[16x16x8] INPUT
CONV 8 3x3 p1 -> RELU
aux (share/2): GAP -> FC 10
RELU
GAP -> FC 10
""",
    "after and init": """\
after CONV: BN -> RELU
after FC: DROPOUT 0.5
init CONV FC: 0.02
[16x16x8] INPUT
CONV 8 3x3 p1
CONV 8 3x3 p1
GAP
FC 16 -> RELU
FC 10
""",
    "init from a parameter": """\
param std = 0.02
init FC: std/2
[16x16x8] INPUT
GAP -> FC 10
""",
    "used blocks": """\
use resnet: basic, bottleneck
[16x16x8] INPUT
basic(8)
bottleneck(4, 2)
GAP -> FC 10
""",
    "a used block that takes a block": """\
use resnet: stage, basic
[16x16x8] INPUT
stage(basic, 8, 2, 1)
GAP -> FC 10
""",
    "a used recipe": """\
use resnet: basic, train
[16x16x8] INPUT
basic(8)
GAP -> FC 10
""",
    "a train section with other words": """\
[16x16x8] INPUT
GAP -> FC 10
train
    epochs 10
    optimizer sgd momentum=0.9 weight_decay=5e-4
    lr 0.1 for batch 128 cosine
""",
    "noise words and signs": """\
net example  # a comment
[16x16x8] INPUT
CONV 8 3×3 filters, stride 1, pad 1 → RELU  # another
GAP -> FC 10 neurons
""",
    "lets that lets use": """\
[16x16x8] INPUT
let a = 2
let b = a*4
CONV b 3x3 p1 -> RELU
GAP -> FC a+b
""",
    "functions": """\
[16x16x8] INPUT
CONV max(4, round8(7)) 3x3 p1 -> RELU
CONV ceil(7/2) 1x1 -> RELU -> CONV floor(sqrt(64)) 1x1 -> RELU
GAP -> FC 10
""",
    "conditions with and, or, not": """\
block b(f, n)
    if not (f == 4 or n == 2) and n < 9
        CONV f 1x1 -> RELU
    else
        RELU
[16x16x8] INPUT
b(8, 1)
b(4, 1)
GAP -> FC 10
""",
    "a sequence": """\
[12x32] INPUT
add
    | LN -> MHSA 4
    | x
LN
GAP -> FC 10
""",
    "a vector": """\
[64] INPUT
FC 32 -> RELU -> DROPOUT 0.5
FC 10 -> SOFTMAX
""",
    "a dimension in a block": """\
block se(r)
    mul
        | GAP -> FC C/r -> RELU -> FC C -> SIGMOID
        | x
[16x16x8] INPUT
se(4)
GAP -> FC 10
""",
    "a label of the last step in a block": """\
block b(f)
    out: CONV f 1x1 -> RELU
    add
        | CONV f 3x3 p1 -> RELU
        | @out
[16x16x8] INPUT
b(8)
GAP -> FC 10
""",
    "the same label in two blocks": """\
block b(f)
    a: CONV f 1x1 -> RELU
    mul
        | @a
        | SIGMOID
block c(f)
    a: RELU
    b(f)
    add
        | @a
        | x
[16x16x8] INPUT
a: c(8)
add
    | RELU
    | @a
GAP -> FC 10
""",
}


@pytest.mark.parametrize("name", SPECS)
def test_a_correct_spec_has_no_finding(name: str) -> None:
    assert [(finding.span and finding.span.line, finding.message) for finding in findings_in(SPECS[name])] == []
