"""Texts that tools print: tables, graphs, listings with numbered lines. Recognised as a whole.

In: nothing, or a source. Out: what their lines look like, for `whole`; the finding for a spec with numbered lines.
"""

from __future__ import annotations

import re
from itertools import pairwise

from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Source, Span
from archspec.language.layout import Unread

TORCH = "a network that PyTorch printed"
# a name for people, what its lines look like, and the line without which it is not this text
LANGUAGES = (
    (
        TORCH,
        r"^\s*\(\w+\): (?:\d+ x )?[A-Z]\w*\(|^[A-Z]\w*\($|^\s*\)$",
        r"^\s*\(\w+\): [A-Z]\w*\(.*\)?$",
    ),
    (
        "an ONNX graph that a tool printed",
        r"^graph [\w-]+ *\(|%[\w.]+|^\) *(?:initializers|optional inputs)|^[(){} ]+$",
        r"^\s*%[\w.]+(?:, %[\w.]+)* = [\w.:]+[\[(]|^graph [\w-]+ *\(\s*$",
    ),
    ("a LaTeX table", r"&.*\\\\|^\s*\\[a-z]+", r"^\s*[A-Za-z][^&\n]*&[^\n]*\\\\"),
    ("a table drawn in text", r"[│┃║]|^[\s\u2500-\u257f]+$", r"^\s*[┌╔┏╭][\u2500-\u257f]{2,}\s*$"),
    ("a table drawn in text", r"^\s*[|+]", r"^\s*\+[-=+]{3,}\+\s*$"),
    (
        "a report of `archspec check`",
        r"^name +layer|\S {2,}\S|-> \[[\dx]+\]",
        r"^name +layer +output\b|^name +layer\b.*\bparameters\b",
    ),
)
TABLES = frozenset(("a Markdown table", "a table drawn in text"))  # whose cells may be steps
_CONTAINER = re.compile(r"^(?: *\(\w+\): )?([A-Z]\w*)\($|^ *\)$")
_SEQUENTIAL = ("Sequential", None)  # None: a line that closes one
_NUMBERED = re.compile(r"( *)(\d{1,4})(?: +|\t)(?=\S)")
_REPEAT = re.compile(r"[x×] ")
_STEPS = re.compile(r"^ *\d+\s+(?:\[\d|[A-Z]{2,}|[a-z_]\w*\(|\| |(?:add|concat|mul)$)", re.MULTILINE)
FEWEST = 3  # lines
LONGEST = 100_000


def in_sequence(text: str) -> str | None:
    """Return the layers of a printed network, one on each line; None if they may not be one after the other.

    A class of its own prints its parts, not how it uses them: it is read if its layers with weights are all in a
    Sequential.
    """
    kept = []
    lines = [line for line in text.split("\n") if line.strip()]
    is_own = not lines[0].startswith("Sequential(")
    for place, line in enumerate(lines):
        container = _CONTAINER.match(line)
        if container is None:
            kept.append(line)
            if is_own and len(line) - len(line.lstrip()) < 4 and re.search(r"(?:Conv\w+|Linear)\(", line):
                return None
        elif place and container[1] not in _SEQUENTIAL:
            return None
    return "\n".join(kept)


def numbered(source: Source) -> Unread | None:
    """Return the finding for a spec whose lines all begin with their numbers."""
    starts, at = [], 0
    if len(source.text) > LONGEST:
        return None
    for line in source.text.split("\n"):
        if line.strip():
            starts.append((at, line))
        at += len(line) + 1
    found = [_NUMBERED.match(line) for _, line in starts]
    is_bare = [line.strip().isdigit() for _, line in starts]  # the number of an empty line
    if len(starts) < FEWEST or not all(one or bare for one, bare in zip(found, is_bare, strict=True)):
        return None
    numbers = [int(re.findall(r"\d+", line)[0]) for _, line in starts]
    if any(after <= before for before, after in pairwise(numbers)):
        return None
    if len(_STEPS.findall(source.text)) * 2 < len(starts):
        return None
    if any(one and _REPEAT.match(one.string, one.end()) for one in found):
        return None
    widths = [one.end() for one in found if one]
    edits = [Edit(Span(source, at, at + min(*widths, len(line))), "") for at, line in starts]
    first = next(one for one in found if one)
    span = Span(source, starts[0][0] + first.start(2), starts[0][0] + first.end(2))
    help_ = Help("drop the numbers", *edits, is_safe=True)
    return Unread(
        "E001",
        "the lines are numbered, and their numbers are not part of a spec",
        span,
        "a line number",
        helps=(help_,),
    )
