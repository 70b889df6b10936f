"""Lines of papers and slides that stand for layers without saying all of their sizes: patterns, rows of tables.

In: a line. Out: the finding that says what it is; None for other lines.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Span

_REPEATED = re.compile(r"\[[^\[\]]*\b[A-Z]{2,}[^\[\]]*\] ?[*x×] ?[\w?]+")
_OPTIONAL = re.compile(r"\b[A-Z]{2,}\?(?!\w)")
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
