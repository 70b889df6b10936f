"""Mistakes in lines: left out, doubled, in another order, indented otherwise, broken, or of another language."""

from __future__ import annotations

import re
from random import Random

from benchmarks.helps.mistakes.choice import CALL, LAYER, NAME, STEP, Mistake, any_of, code_of, pick, put, swap


def line_doubled(text: str, chance: Random) -> str | None:
    """Write a line twice."""
    at = pick(text, r"^.*\S.*\n", chance)
    return None if at is None else text[: at.end()] + text[at.start() : at.end()] + text[at.end() :]


def lines_swapped(text: str, chance: Random) -> str | None:
    """Write two lines in the wrong order."""
    at = pick(text, r"^(.*\S.*\n)(.*\S.*\n)", chance)
    if at is None or at[1] == at[2]:
        return None
    return text[: at.start()] + text[at.start(2) : at.end(2)] + text[at.start(1) : at.end(1)] + text[at.end() :]


def indented(text: str, chance: Random) -> str | None:
    """Indent a line by a few blanks more or less."""
    at = pick(text, r"^( *)(?=\S)", chance)
    if at is None:
        return None
    depth = max(0, len(at[1]) + chance.choice((-4, -2, -1, 1, 2, 4)))
    return put(text, at, " " * depth)


def _group(lines: list[str], chance: Random) -> tuple[int, int] | None:
    """Return where a block, merge, `if`, `else` or recipe begins, and where the lines under it end."""
    heads = [place for place, line in enumerate(lines) if re.match(r" *(block|else|if|add|concat|mul|train)\b", line)]
    if not heads:
        return None
    at = chance.choice(heads)
    depth = len(lines[at]) - len(lines[at].lstrip())
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > depth):
        end += 1
    return at, end


def group_removed(text: str, chance: Random) -> str | None:
    """Leave out a line with the lines under it."""
    lines = text.split("\n")
    group = _group(lines, chance)
    return None if group is None else "\n".join(lines[: group[0]] + lines[group[1] :])


def body_removed(text: str, chance: Random) -> str | None:
    """Leave out the lines under a line."""
    lines = text.split("\n")
    group = _group(lines, chance)
    if group is None or group[1] == group[0] + 1:
        return None
    return "\n".join(lines[: group[0] + 1] + lines[group[1] :])


def line_inserted(*options: str) -> Mistake:
    """Return the mistake that writes a line where none belongs; `{}` is the indentation."""

    def make(text: str, chance: Random) -> str | None:
        at = pick(text, rf"^( *)(?:\[[\dx]+\] +)?{LAYER}", chance)
        if at is None:
            return None
        line = chance.choice(options).replace("{}", at[1])
        return text[: at.start()] + line + "\n" + text[at.start() :]

    return make


def every_line(text: str, chance: Random) -> str | None:
    """Number all lines, or make them bullets, as a page has them."""
    if "block" in code_of(text) or len(text) > 1_500:
        return None
    kind = chance.randrange(3)
    lines = text.rstrip("\n").split("\n")
    leads = [("- ", "* ", "• ")[chance.randrange(3)] if kind else f"{number + 1}. " for number in range(len(lines))]
    return "\n".join(lead + line if line.strip() else line for lead, line in zip(leads, lines, strict=True)) + "\n"


LINES: dict[str, Mistake] = {
    "line removed": swap(r"^.*\S.*\n", ""),
    "line removed, once more": swap(rf"^.*{LAYER}.*\n", ""),
    "INPUT removed": swap(r"^.*\bINPUT\b.*\n", ""),
    "INPUT without a bracket": any_of(swap(r"^\[[\dx]+\] +INPUT", "INPUT"), swap(r"^INPUT: \[[\dx]+\]", "INPUT")),
    "branch removed": swap(r"^ +\| .*\n", ""),
    "branch emptied": swap(r"^( +\|) .*", r"\1"),
    "declaration removed": swap(r"^(?: *let|param|use|after|variant) .*\n", ""),
    "block, merge or if removed": group_removed,
    "lines under a head removed": body_removed,
    "label removed": any_of(swap(rf"^({NAME}): +(?=[A-Z(x])", ""), swap(r"\b(?:CONV|FC|POOL)\d+: ", "")),
    "line doubled": line_doubled,
    "lines swapped": lines_swapped,
    "indented otherwise": indented,
    "indented otherwise, once more": indented,
    "step removed": any_of(swap(rf"-> {STEP} (?=->)", ""), swap(rf"(?<=\S) -> {STEP}$", "")),
    "step doubled": swap(rf"({STEP})(?= ->|$)", r"\1 -> \1"),
    "step of the wrong kind": swap(
        rf"({STEP})(?= ->|$)",
        *(
            rf"\1 -> {one}"
            for one in ("GAP", "TOKENS", "MHSA 4", "FC 64", "CONV 64 3x3 p1", "POOL 2x2 s2", "FLATTEN", "TAKE 0", "CLS")
        ),
    ),
    "chain broken": swap(r" -> ", "\n-> ", " ->\n", "\n    -> ", " \\\\\n-> "),
    "call of an unknown block": swap(rf"{CALL[:-2]}\(", "residual(", "resblock(", "conv_block("),
    "repeat of another kind": any_of(
        swap(r"\b(\d|n) x ", r"\1x ", r"\1 * ", r"\1 times ", r"x\1 ", r"\1× "),
        swap(r"^( *)(\(n-1\)) x ", r"\1n-1 x ", r"\1\2 * "),
    ),
    "prose": line_inserted(
        "The stem of the network",
        "{}Here comes the first layer:",
        "Table 1. Architecture",
        "12",
        "---",
        "```",
        "Layer   Output   Params",
    ),
    "line of Python": line_inserted(
        *(
            "import torch.nn as nn",
            "{}x = self.conv1(x)",
            "model = nn.Sequential(",
            "{}return x",
            "{}for i in range(3):",
        ),
        *(
            "{}nn.Conv2d(64, 64, kernel_size=3, padding=1)",
            "{}model.add(Dense(64, activation='relu'))",
            "{}nn.ReLU(inplace=True),",
        ),
    ),
    "bullets": every_line,
    "something unused": any_of(
        line_inserted("{}let unused = 3", "{}skip: x", "{}saved: @nowhere"),
        swap(r"\A", "param unused = 3\n", "block unused(f)\n    CONV f 1x1\n"),
    ),
    "unreached mistake": swap(
        r"\A", "block extra(f)\n    CONVV f 3x3\n", "block extra(f)\n    CONV g 3x3\n", "variant tiny: widht=0.5\n"
    ),
    "train section doubled": swap(r"^(train)$", "train\n    epochs 3\ntrain", r"training", r"train:", r"train {"),
    "setting doubled": swap(
        r"^(    (?:epochs|lr|clip|ema|augment) .*\n)", r"\1\1", r"\1    epoch 5\n", r"\1    batch 32\n"
    ),
}
