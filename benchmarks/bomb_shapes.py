"""Specs that ask for as much work as their size allows: one way to write a bomb each.

In: a `Size`. Out: the text of each shape, no longer than a plain chain of that size, and with no more steps than the
bound leaves such a chain. Not done here: measuring them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.long_chain import lines as plain_chain

STEPS = 2.4  # a bomb has 240,000 lines and steps where the chain has 100,000: just below the bound
HEAD = "[32x32x8] INPUT\n"
FLAT = "[8] INPUT\n"
EDGE = 4_900  # characters: a long line that is still read


class Size(NamedTuple):
    """What a bomb may use: bytes of text, lines and steps."""

    bytes: int
    steps: int


def size_of(chain: int) -> Size:
    """Return the size of a plain chain of so many lines."""
    return Size(len(plain_chain(chain)), int(STEPS * chain))


def _many(of: Size, head: str, line: Callable[[int], str], tail: str = "", steps: int = 1) -> str:
    """Write as many lines as the size allows, each of which takes some steps."""
    room, left = of.bytes - len(head) - len(tail), of.steps
    written: list[str] = []
    while (text := line(len(written))) and len(text) <= room and left >= steps * text.count("\n"):
        written.append(text)
        room -= len(text)
        left -= steps * text.count("\n")
    return head + "".join(written) + tail


def _same(head: str, line: str, tail: str = "", steps: int = 1) -> Callable[[Size], str]:
    return lambda of: _many(of, head, lambda _: line, tail, steps)


def _each(head: str, line: Callable[[int], str], tail: str = "", steps: int = 1) -> Callable[[Size], str]:
    return lambda of: _many(of, head, line, tail, steps)


def _long(start: str, part: str, end: str = "", length: int = EDGE) -> str:
    """Return a line that is almost too long."""
    return start + part * ((length - len(start) - len(end)) // len(part)) + end + "\n"


def _calls(block: str, steps: int, call: str = "u()", head: str = HEAD) -> Callable[[Size], str]:
    """Repeat a block that takes `steps` steps a call."""
    return lambda of: f"{block}{head}{max(1, of.steps // (steps + 2))} x {call}\n"


def _nested(of: Size) -> str:
    """A chain inside 60 blocks."""
    blocks = "".join(f"block b{n}()\n    b{n + 1}()\n" for n in range(60))
    return f"{blocks}block b60()\n    {of.steps - 200} x RELU\n{HEAD}b0()\n"


def _doubling(of: Size) -> str:
    depth = (of.steps // 4).bit_length() - 1
    blocks = "".join(f"block b{n}()\n    b{n + 1}()\n    b{n + 1}()\n" for n in range(depth))
    return f"{blocks}block b{depth}()\n    RELU\n{HEAD}b0()\n"


def _deep_branches(of: Size) -> str:
    unit = "".join("    " * n + f"{'| ' * (n > 0)}add\n" for n in range(20)) + "    " * 20 + "| x\n"
    unit += "".join("    " * n + "| RELU\n" for n in range(20, 0, -1))
    return _many(of, HEAD, lambda _: unit)


def _halves(of: Size, first: Callable[[int], str], second: str, head: str = "", middle: str = HEAD) -> str:
    """Half of the text in lines of one kind, which name things, and half in lines of another kind."""
    half = Size(of.bytes // 2, of.steps // 2)
    return _many(half, head, first) + _many(half, middle, lambda _: second)


def _columns(of: Size) -> str:
    """Brackets of many widths, so that lines of one level begin in many columns."""
    wide = "".join(f"[8]{' ' * (n + 1)}RELU\n" for n in range(min(1_000, int(of.bytes**0.5))))
    return _many(of, FLAT + wide, lambda _: "RELU\n")


WIDE = "[4x4x1] INPUT\n" + "UPSAMPLE 2\n" * 8 + "CONV 1 3x3 same\n"
HUNDRED = "block u()\n" + "    x\n" * 100
LONG_NAME = "n" * 4_000
SUM = "1" + "+1" * 90

SHAPES: dict[str, Callable[[Size], str]] = {
    # ---- chains
    "short layers": _same(HEAD, "BN\n"),
    "layers with two weights": _same(HEAD, "LN\n"),
    "small matrices": _same(FLAT, "FC 2\n"),
    "matrices, all different": _each(FLAT, lambda n: f"FC {n % 5000 + 1}\n"),
    "steps on long lines": _same(FLAT, " -> ".join(["FC 9"] * 200) + "\n", steps=200),
    "short steps on long lines": _same(FLAT, "->".join(["LN"] * 1_000) + "\n", steps=1_000),
    "labels": _each(HEAD, lambda n: f"a{n}: RELU\n"),
    "numbered layers": _each(HEAD, lambda n: f"CONV{n}: 8 1x1\n"),
    "brackets": _same(HEAD, "[32x32x8] RELU\n", steps=2),
    "brackets with sums": _same(HEAD, "[(16+16) x 32 x 8] RELU\n", steps=2),
    "memory and parameters claimed": _same(HEAD, "CONV 8 1x1 memory: 32*32*8 params: 8*8\n"),
    "TOTAL lines": lambda of: _halves(of, lambda _: "RELU\n", "TOTAL params: 0\n", HEAD, ""),
    "attention": _same("[4x8] INPUT\n", "MHSA 2\n"),
    "UPCONVs that shrink again": _same(HEAD, "UPCONV 8 2x2 s2\nCONV 8 2x2 s2\n"),
    "a period of 256 outputs": _same(WIDE, "CONV 1 3x3 same\n"),
    "after rules": _same("after CONV: BN -> RELU\n" + HEAD, "CONV 8 1x1\n", steps=3),
    "a long after rule": _same("after FC: " + " -> ".join(["LN"] * 400) + "\n" + FLAT, "FC 8\n", steps=401),
    # ---- blocks
    "a block of idle lines": lambda of: f"{HUNDRED}{HEAD}{12 * of.steps // 10} x u()\n",
    "a block of idle lines, within the bound": _calls(HUNDRED, 100),
    "a block repeated": _calls("block u()\n    RELU\n", 1),
    "a repeated layer": lambda of: f"{HEAD}{of.steps // 2} x CONV 8 3x3 p1\n",
    "repeats of repeats": lambda of: f"{HEAD}{of.steps} x 0 x RELU\n",
    "calls, one a line": _same("block u()\n    RELU\n" + HEAD, "u()\n", steps=3),
    "calls with many parameters": _calls("block u(" + ",".join(f"p{n}=1" for n in range(500)) + ")\n    RELU\n", 560),
    "calls with a long sum": _calls(f"block u(a={SUM})\n    FC {SUM}\n", 10, head=FLAT),
    "a long bracket in a block": _calls(f"block u()\n    [{SUM}-90+7] RELU\n", 7, head=FLAT),
    "lets": _calls("block u()\n" + "".join(f"    let a{n} = {n}\n" for n in range(100)) + "    RELU\n", 101),
    "if and else": _each(
        "", lambda n: "block u(a)\n" * (not n) + f"    {'else ' * (n > 0)}if a == {n}\n        RELU\n", HEAD + "u(9)\n"
    ),
    "idle ifs": _calls("block u()\n" + "    if 1 > 2\n        RELU\n" * 50 + "    RELU\n", 101),
    "recursion": _calls("block u(n)\n    RELU\n    if n > 0\n        u(n-1)\n", 240, call="u(58)"),
    "blocks that double": _doubling,
    "a shared block": _calls("block u shared\n    FC 8\n", 1, head=FLAT),
    "a chain inside 60 shared blocks": lambda of: (
        _nested(of).replace("()\n    ", "() shared\n    ").replace("RELU", "BN")
    ),
    "results inside calls": _each(
        "block u(@b=@input)\n    a: RELU\n    add\n        | @a\n        | @b\n" + HEAD,
        lambda n: f"s{n}: u({f'@s{n - 1}.a' * (n > 0)})\n",
        steps=10,
    ),
    "misspelt results inside a call": lambda of: _halves(
        of, lambda n: "block u\n" * (not n) + f"    name{n}: RELU\n", "[8] @s.nane7x\n", "", FLAT + "s: u()\n"
    ),
    "a list of volumes": _calls(
        "block u(@more...)\n    add\n        | @more\n        | x\n",
        *(1_300, f"u({', '.join(['@a'] * 400)})", HEAD + "a: RELU\n"),
    ),
    "a list that doubles": lambda _: (
        "block u(n, @more...)\n    if n > 0\n        u(n-1, @more, @more)\n    else\n        add\n            | @more\n"
        f"            | x\n{HEAD}a: RELU\nu(60, @a)\n"
    ),
    "weights of the layer above": _each(FLAT, lambda n: f"a{n}: FC 8{f' weights=@a{n - 1}' * (n > 0)}\n"),
    "blocks, never called": _each("", lambda n: f"block b{n}()\n    RELU\n", HEAD + "RELU\n"),
    "params": _each("", lambda n: f"param p{n} = {n}\n", HEAD + "RELU\n"),
    "params of params": _each("param p0 = 0\n", lambda n: f"param p{n + 1} = p{n} + 1\n", HEAD + "RELU\n"),
    "variants": _each("param p = 1\n", lambda n: f"variant v{n}: p={n}\n", HEAD + "RELU\n"),
    "a chain inside 60 blocks": _nested,
    "long names of blocks": lambda of: f"block {LONG_NAME}()\n    {of.steps - 400} x RELU\n{HEAD}{LONG_NAME}()\n",
    "a long label on a short chain": _same(HEAD + LONG_NAME + ": RELU\n", "RELU\n"),
    "long sums": _each("", lambda n: f"param v{n} = {SUM}\n", HEAD + "RELU\n", steps=4),
    "long sums in parentheses": _same(FLAT, _long("FC (", "(1+1)*1+", "1)", 400), steps=9),
    # ---- branches
    "short branches": _same(HEAD + "add\n", " |x\n", steps=2),
    "branches of two steps": _same(HEAD + "add\n", "    | RELU -> RELU\n", steps=3),
    "branches concatenated": _same(HEAD + "concat\n", "    | RELU\n", steps=2),
    "branches within branches": _deep_branches,
    "branches that do not fit": _each(HEAD + "add\n", lambda n: f"  | FC {n % 4096 + 1}\n", steps=2),
    "readers of one result": _same(HEAD + "a: RELU\nconcat\n", " |@a\n", steps=2),
    "auxiliary classifiers": _same(HEAD, "aux 1: FC 2\n", "FC 2\n", steps=2),
    # ---- text
    "blank lines": _same(HEAD + "RELU\n", "\n"),
    "carriage returns": _same(HEAD, "RELU\r\n"),
    "comments": _same(HEAD + "RELU\n", "#" * 79 + "\n"),
    "one long comment": lambda of: HEAD + "RELU # " + "x" * (of.bytes - 100) + "\n",
    "one long line": lambda of: HEAD + "RELU" + " " * (of.bytes - 100) + "-> RELU\n",
    "columns": _columns,
    "settings of a train section": _each(
        HEAD + "FC 2\ntrain\n    lr 0.1\n", lambda _: _long("    augment", " flip", length=400)
    ),
    "words without a meaning": _same(HEAD, "CONV 8 1x1 filters\n"),
    # ---- mistakes
    "misspelt layers": _each(HEAD, lambda n: f"[32x32x8] CON{n % 977}X 8\n", steps=2),
    "misspelt names": lambda of: _halves(of, lambda n: f"param name{n} = {n}\n", "[8] FC nane7x\n", "", FLAT),
    "misspelt results": lambda of: _halves(of, lambda n: f"name{n}: RELU\n", "@nane7x\n", FLAT, ""),
    "misspelt blocks": lambda of: _halves(of, lambda n: f"block b{n}x()\n    x\n", "[8] bb7xx()\n", "", FLAT),
    "misspelt arguments": _each(HEAD, lambda n: f"[32x32x8] CONV 8 3x3 str{n}=2\n", steps=2),
    "names given twice": _same(HEAD, "a: RELU\n"),
    "windows that do not fit": _same("[8x8x8] INPUT\n", "[8x8x8] POOL 3x3 s2\n", steps=2),
    "false brackets, every other": _same(HEAD, "[3x3x3] CONV 8 1x1\n[32x32x8] RELU\n", steps=2),
    "false claims": _same(HEAD, "CONV 8 1x1 params: 7\n"),
    "unused results": lambda of: (
        "block u()\n" + _many(of, "", lambda _: "    RELU\n    x\n", "    RELU\n" + HEAD + "u()\n")
    ),
    "files that do not exist": _each("", lambda n: f"use none{n}: a\n", HEAD + "RELU\n"),
    "nonsense": _same(HEAD, "=\n"),
    "idle lines at the top": _same(HEAD, "x\n"),
}
