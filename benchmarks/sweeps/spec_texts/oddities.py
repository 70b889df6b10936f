"""Correct lines with one odd operand: every layer, function and declaration with values that it does not expect.

In: a source of chance. Out: a text.
"""

from __future__ import annotations

from random import Random

from archspec.language.expressions import FUNCTIONS
from archspec.layers import REGISTRY
from benchmarks.sweeps.spec_texts.parts import MAP, SEQUENCE, VECTOR

INPUTS = ("[8x8x4]", "[6x4]", "[5]", "[8]", "[1x1x1]", "[1x9x6]", "[4611686018427387904x2x2]", "[9223372036854775807]")
VALUES = (
    *("0", "1", "2", "3", "4", "8", "7", "0.5", "1.0", "1e-30", "1e18", "9223372036854775807", "4611686018427387904"),
    *(
        "(0-1)",
        "(0-0.5)",
        "(1 < 2)",
        "(not 1)",
        "n",
        "b",
        "C",
        "H*W",
        "a",
        "nothing",
        "@a",
        "@a.i",
        "8/3",
        "8/0",
        "max(3)",
        "x",
    ),
)
LETTERED = tuple(f"{letter}{size}" for letter in "spgd" for size in ("0", "1", "3", "999999999", "0:1", "2x1", "1x2x3"))
SIZES = (
    "0x0",
    "1x1",
    "3x3",
    "9x9",
    "1x2x3",
    "n x n",
    "9223372036854775807x1",
    "9223372036854775807x9223372036854775807",
)
WORDS = (
    "same",
    "floor",
    "ceil",
    "bias",
    "nobias",
    "linear",
    "fixed",
    "bilinear",
    "columns",
    "count_pad",
    "to",
    "relpos",
)
NAMED = (
    "stride",
    "pad",
    "groups",
    "dilation",
    "window",
    "shift",
    "eps",
    "n",
    "k",
    "to",
    "filters",
    "kernel",
    "momentum",
)
MERGES = ("add", "concat", "mul")
HEAD = (
    "block b(f=1, @h=@before)\n    FC f\nblock empty()\n    if C == 0\n        RELU\nblock c\n    RELU\nparam n = 2\n"
    "block l(@more...)\n    concat\n        | @more\n        | x\nblock s(f) shared\n    i: FC f\n"
)
DECLARATIONS = (
    "aux {v}: FC {v}",
    "aux 0.3: {v} x FC 3",
    "aux 0.3: @a",
    "aux {v}: empty()",
    "aux 0.3: h: FC 3\nadd\n    | x\n    | @h",
    "aux 0.3: c() -> c()",
    "after {layer}: {layer} {v} -> {layer}",
    "after {layer}: c()",
    "use {use}: {name}, train",
    "use alexnet: train\ntrain\n    epochs {v}",
    "variant {v}: n={v}",
    "param m = {v}",
    "param m = {function}({v}, {v})",
    "let m = {v}\nFC m",
    "TOTAL params: {v}",
    "TOTAL memory: {v} * 4 bytes ~= {v}MB",
    "train\n    lr {v} for batch {v}, divided by {v} at {v} {v}",
    "train\n    optimizer sgd momentum={v}\n    epochs {v}\n    warmup {v}",
    "train\n    augment scale={v} to {v} mixup={v}",
    "CONV3-{v}: [8x8x4] memory: {v} = {v}K params: {v} = {v}",
    "RELU: [{v}] memory: {function}({v})",
    "[{v}] {layer} {v}",
    "[{v} x {v} x {v}] RELU",
    "{v} x {layer} {v}",
    "({v}) x b({v})",
    "{v} x empty()",
    "b({v}, @a)",
    "b(f={v}, h={v})",
    "b({v}, {v}, {v})",
    "b(1, @last.{name})",
    "l({v})",
    "l(@a, {v})",
    "l(@a, @a) -> l(more=@a)",
    "s({v}) -> s({v})",
    "s(3) -> s(3)",
    "g: s(3)\n@g.i -> FC 2 weights=@g.i",
    "{layer} {v} weights=@a",
    "FC {v} weights={v}",
    "{merge}\n    | @last.i\n    | x",
    "if {v}\n    RELU\nelse if {v} == {v}\n    FC {v}\nelse\n    c()",
    "FC {function}({v})",
    "FC {function}({v}, {v}, {v})",
    "FC {function}()",
    "FC {v} {op} {v}",
    "{merge}\n    | {layer} {v}\n    | x",
    "{merge}\n    | 0 x RELU\n    | empty()",
    "{merge}\n    | x",
    "{merge}\n    | @a\n    | [{v}] x\n    | {layer}",
    "a: RELU",
    "input: RELU",
    "x",
    "@a",
    "@before",
    "b(1) -> b(2) -> b(3)",
)
STARTS = (
    *("{i} INPUT", "{i} INPUT", "{i} INPUT\na: RELU", "{i} INPUT\na: RELU", "{i} RELU", "INPUT: {i}"),
    *("block d()\n    INPUT: {i}\nd()", ""),
)


def odd(chance: Random) -> str:
    """Return a short network with one to four lines that have odd operands."""
    lines = [HEAD.rstrip("\n")] * (chance.random() < 0.8)
    lines.append(chance.choice(STARTS).format(i=chance.choice(INPUTS)))
    for _ in range(chance.randint(1, 3)):
        lines.append(chance.choice((_layer, _fitted, _declared))(chance))
    if chance.random() < 0.2:
        lines.append(_in_a_block(chance))
    return "\n".join(lines) + "\n"


def _layer(chance: Random) -> str:
    """Return a layer with up to three arguments of any form, or a shorthand of it."""
    name = chance.choice(sorted(REGISTRY))
    if chance.random() < 0.15:
        return f"{name}{chance.choice(('0', '1', '2', '9', '999999999', '-0', '3-0', '0-3', '3-8', '2-8'))}"
    kinds = (VALUES, LETTERED, SIZES, WORDS, tuple(f"{named}={chance.choice(VALUES)}" for named in NAMED))
    return " ".join([name, *(chance.choice(chance.choice(kinds)) for _ in range(chance.randrange(4)))])


def _fitted(chance: Random) -> str:
    """Return a step as networks have it, with numbers of any size."""
    numbers = ("1", "2", "3", "4", "8", *(value for value in VALUES if value.isdecimal()))
    return chance.choice(chance.choice((MAP, SEQUENCE, VECTOR))).format(
        **{letter: chance.choice(numbers) for letter in "fkspgch"}, e=chance.choice(VALUES)
    )


def _declared(chance: Random) -> str:
    line = chance.choice(DECLARATIONS)
    while "{v}" in line:
        line = line.replace("{v}", chance.choice(VALUES), 1)
    return line.format(
        layer=chance.choice(sorted(REGISTRY)),
        function=chance.choice(sorted(FUNCTIONS)),
        merge=chance.choice(MERGES),
        op=chance.choice(("+", "-", "*", "/", "//", "%")),
        use=chance.choice(("a" * chance.choice((1, 300, 4_000)), "resnet", "spec", "vgg16")),
        name=chance.choice(("stage", "b", "train", "x" * 300)),
    )


def _in_a_block(chance: Random) -> str:
    """Return the definition and the call of a block around a layer."""
    return f"block e(k={chance.choice(VALUES)})\n    {_layer(chance)}\ne()"
