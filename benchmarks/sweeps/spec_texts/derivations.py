"""Lines derived at random from the grammar itself, under a network's input.

In: a source of chance. Out: a text whose lines the grammar accepts, but for the layout and what words mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from lark import Lark

from archspec import grammar
from archspec.layers import REGISTRY

DEEPEST = 12  # rules within rules: then the shortest way out
# words for each terminal that is a pattern; tests/test_fuzz.py holds them against the patterns
TERMINALS: dict[str, tuple[str, ...]] = {
    "NAME": ("f", "n", "add", "concat", "mul", "a", "C", "H", "N", "same", "bias", "floor", "stride", "unit", "b"),
    "CALL": ("unit", "b", "max", "min", "round8", "ceil"),
    "LABEL": ("a:", "stem:", "p3:"),
    "OUTPUT": ("output",),
    "REFERENCE": ("@a", "@stem", "@before", "@h", "@a.low", "@last.low", "@before.a", "@b.unit.p3"),
    "LIST": ("@more...", "@h..."),
    "LAYER": (*(name for name in sorted(REGISTRY) if " " not in name), "CONV3-8", "POOL2", "CONV1", "FC-10", "POOL0"),
    "NUMBER": ("1", "2", "3", "4", "8", "0", "0.5", "1e-5", "0.0", "64", "9223372036854775807"),
    "EXTENT": ("3x3", "1x1", "2x2", "1x7", "0x3", "3x3x3"),
    "SHORT": ("s2", "p1", "g2", "d2", "p0:1", "s0", "p1x2"),
    "VOLUME": ("[8x8x4]", "[4x4x8]", "[10]", "[6x4]", "[1x2x3x4]", "[0]"),
    "_TIMES": ("x",),
    "CLAIM": ("params:", "memory:"),
    "FIGURE": ("1,728", "3.2M", "256B", "0K"),
    "BYTES": ("* 4 bytes ~=", "* 4 bytes"),
    "NOTE": ("(class scores)",),
    "COMPARE": ("==", "<", ">=", "!="),
    "ADD": ("+", "-"),
    "MUL": ("*", "/", "//", "%"),
    "_ARROW": ("->", "→"),
    "TITLE": ("A title",),
    "PROSE": ("(only forward!)",),
}
_NEEDS_LINES = re.compile(r"(?:block|if|else)\b")
_NO_SPACE = "\0"  # after a word that stands directly before its parenthesis
_MERGE = re.compile(r"(?:^|[ >])(?:add|concat|mul)$")


class Way(NamedTuple):
    """One expansion of a rule: its symbols, terminals marked, and the least depth that it needs."""

    symbols: tuple[tuple[str, bool], ...]
    depth: int


@cache
def _rules() -> Mapping[str, tuple[Way, ...]]:
    """Return the ways of each rule, the shallowest first."""
    text = (Path(next(iter(grammar.__path__))) / "archspec.lark").read_text(encoding="utf-8")
    rules = Lark(text, parser="lalr", start=["line", "setting"]).rules
    least: dict[str, int] = {}
    for _ in rules:  # a rule's least depth is known after as many rounds as it is deep
        for rule in rules:
            inner = [0 if symbol.is_term else least.get(symbol.name, 10**6) for symbol in rule.expansion]
            name = str(rule.origin.name)
            least[name] = min(least.get(name, 10**6), 1 + max(inner))
    ways: dict[str, list[Way]] = {}
    for rule in rules:
        inner = [0 if symbol.is_term else least[symbol.name] for symbol in rule.expansion]
        symbols = tuple((str(symbol.name), bool(symbol.is_term)) for symbol in rule.expansion)
        ways.setdefault(str(rule.origin.name), []).append(Way(symbols, max(inner)))
    return {name: tuple(sorted(found, key=lambda way: way.depth)) for name, found in ways.items()}


@cache
def _keywords() -> Mapping[str, str]:
    """Return the terminals that are one text."""
    text = (Path(next(iter(grammar.__path__))) / "archspec.lark").read_text(encoding="utf-8")
    terminals = Lark(text, parser="lalr", start=["line", "setting"]).terminals
    return {str(one.name): str(one.pattern.value) for one in terminals if one.pattern.type == "str"}


def derive(symbol: str, chance: Random, depth: int = 0) -> list[str]:
    """Return the tokens of a random derivation."""
    ways = _rules()[symbol]
    if depth > DEEPEST:
        ways = tuple(way for way in ways if way.depth == ways[0].depth)
    tokens: list[str] = []
    for name, is_terminal in chance.choice(ways).symbols:
        if not is_terminal:
            tokens += derive(name, chance, depth + 1)
        elif name in TERMINALS:
            tokens.append(chance.choice(TERMINALS[name]) + (_NO_SPACE if name == "CALL" else ""))
        else:
            tokens.append(_keywords()[name])
    return tokens


def derived(chance: Random) -> str:
    """Return an input, and lines derived from the grammar, each with the lines under it that it needs."""
    lines = ["block unit(f)", "    RELU"] * (chance.random() < 0.5) + ["[8x8x4] INPUT"] * (chance.random() < 0.9)
    for _ in range(chance.randint(1, 5)):
        lines += _with_lines(derived_line("line", chance), chance, "")
    return "\n".join(lines) + "\n"


def derived_line(start: str, chance: Random) -> str:
    """Return a line that the rule `start` accepts."""
    return " ".join(derive(start, chance)).replace(f"{_NO_SPACE} ", "")


def _with_lines(line: str, chance: Random, indent: str) -> list[str]:
    found = [indent + line]
    deeper = indent + "    "
    if line.startswith("train"):
        return [*found, *(deeper + derived_line("setting", chance) for _ in range(2))]
    if len(deeper) < 16 and _MERGE.search(line):
        branches = [derived_line("chain", chance) if chance.random() < 0.5 else "x" for _ in range(2)]
        return [*found, *(f"{deeper}| {branch}" for branch in branches)]
    if len(deeper) < 16 and _NEEDS_LINES.match(line):
        return [*found, *_with_lines(derived_line("chain", chance), chance, deeper)]
    return found
