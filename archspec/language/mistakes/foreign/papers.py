"""Lines of papers and slides that stand for layers without saying all of their sizes: patterns, rows of tables.

In: a line. Out: the finding that says what it is; None for other lines.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span

_REPEATED = re.compile(r"\[[^\[\]]*\b[A-Z]{2,}[^\[\]]*\] ?[*x×] ?[\w?]+")
_OPTIONAL = re.compile(r"\b[A-Z]{2,}\?(?!\w)")
_CONV = r"(\d+)[x×]\1(?: *conv)?, *(\d+)"
_BLOCK = re.compile(rf"(?:[\w.]+ *:? *)?\[ *{_CONV}((?: *[;,] *\d+[x×]\d+(?: *conv)?, *\d+)*) *\] *[x×*] *(\d+)$")
_FIRST = re.compile(r"[A-Za-z][\w.-]*(?: [a-z]\w*)?(?: *\([^()]*\))?(?= )")
_FIGURE = re.compile(r"\d[\d.,]*(?:[x×]\d+)*(?:/\d+)?[KMGBk%]?")
FEWEST = 5  # figures of a row


def pattern(line: Span) -> Finding | None:
    """Return the finding for `INPUT -> [[CONV -> RELU]*N -> POOL?]*M`."""
    found = _REPEATED.search(line.text) or _OPTIONAL.search(line.text)
    if not found or "->" not in line.text.replace("→", "->"):
        return None
    notes = (
        "in a spec each layer has its sizes, and brackets contain a volume: `[32x32x3]`",
        "several steps are repeated as a block: `3 x unit(64)`",
    )
    return Finding("E001", "a pattern of layers, not a network", line, "repeats in brackets", notes=notes)


def block(line: Span) -> Finding | None:
    """Return the finding for `conv2_x: [3x3, 64] x 2`, as the table of the ResNet paper has its blocks."""
    found = _BLOCK.match(line.text)
    if not found:
        return None
    side, count, others, times = found.groups()
    notes = ("in the paper each bracket has a shortcut around it: a block with `add`, repeated as `2 x unit(64)`",)
    helps: tuple[Help, ...] = ()
    if not others and int(side) % 2:
        pad = f" p{int(side) // 2}" if side != "1" else ""
        text = f"{times} x CONV {count} {side}x{side}{pad}"
        helps = (Help(f"`{text}`, without shortcuts", Edit(line, text)),)
    message = "convolutions in brackets, as in the ResNet paper's table, are not a step"
    return Finding("E001", message, line, "a block of the table", notes=notes, helps=helps)


def row(line: Span) -> Finding | None:
    """Return the finding for `inception (3a) 28x28x256 2 64 96 128 16 32 32 159K 128M`."""
    first = _FIRST.match(line.text)
    if not first or line.text.startswith(("net ", "lr ", "let ", "param ")):
        return None
    cells = line.text[first.end() :].replace("|", " ").split()
    if len(cells) < FEWEST or not all(_FIGURE.fullmatch(cell) for cell in cells):
        return None
    notes = ("a line of a spec names its layer and each argument: `CONV 64 3x3 s2 p1`",)
    return Finding("E001", f"line {line.line} is a row of a table, not a layer", line, "figures", notes=notes)
