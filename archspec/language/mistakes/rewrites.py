"""One line that must become several, or several that become one: loops and sums.

In: a line that the grammar rejects, in its source. Out: the finding, whose help carries the edit; None for other lines.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span

_LOOP = re.compile(r"(?:for|foreach|while|repeat|loop)\b[^#]*")
_SUM_AT_THE_END = re.compile(r"(?P<head>)(?P<left>[A-Z]{2}.*?) +(?P<sign>[+*]) +(?P<right>@?[a-z_]\w*)$")
_COUNT = re.compile(r"(?:\bin +(?:range *\()?|\brepeat +|\bloop +)(?:1 *, *|0 *, *|1 *\.\. *)?(\w+)\)?(?: +times)?(?: *:)?$")
_SUM = re.compile(r"(?:(?P<head>\S.*?) *(?:->|→) *)?(?P<left>@?[a-z_]\w*) *(?P<sign>[+*]) *(?P<right>[@A-Za-z].*)$")
_MERGES = {"+": "add", "*": "mul"}
MOST_LINES = 40


def loop(line: Span) -> Finding | None:
    """Return the finding for a loop."""
    return _loop(line) if _LOOP.match(line.text) else None


def summed(line: Span) -> Finding | None:
    """Return the finding for a sum of steps."""
    found = _SUM.match(line.text) or _SUM_AT_THE_END.match(line.text)
    if not found or re.match(r"(?:let|param|if|else|net|use|block|after|init|aux)\b", line.text):
        return None
    name = _MERGES[found["sign"]]
    return _merge(line, name, found["head"], [found["left"], found["right"]], f"`{found['sign']}` does not merge")


def _branch(text: str) -> str:
    text = text.strip()
    return text if text == "x" or not re.fullmatch(r"[a-z_]\w*", text) else f"@{text}"


def _merge(line: Span, name: str, head: str | None, branches: list[str], message: str) -> Finding:
    margin = " " * (line.source.position(line.start)[1] - 1)
    first = f"{head} -> {name}" if head else name
    lines = [first, *(f"{margin}    | {_branch(text)}" for text in branches)]
    help_ = Help(f"`{name}` with its branches under it, each after a `|`", Edit(line, "\n".join(lines)))
    return Finding("E001", message, line, "a merge", helps=(help_,))


def _loop(line: Span) -> Finding:
    notes = ("`3 x unit(64)` repeats a block, and `3 x CONV 64 3x3` a layer",)
    source, text = line.source, line.source.text
    margin = line.source.position(line.start)[1] - 1
    body: list[str] = []
    end = at = text.find("\n", line.end)
    while 0 <= at < len(text) - 1 and len(body) <= MOST_LINES:
        stop = text.find("\n", at + 1)
        stop = stop if stop >= 0 else len(text)
        one = text[at + 1 : stop]
        if one.strip() and len(one) - len(one.lstrip()) <= margin:
            break
        body += [one] if one.strip() else []
        end, at = stop, stop
    count = _COUNT.search(line.text)
    helps: tuple[Help, ...] = ()
    if count and body:
        steps = " -> ".join(one.partition("#")[0].strip() for one in body)
        whole = Span(source, line.start, end)
        if "->" not in steps and "→" not in steps:
            new = f"{count[1]} x {steps}"
            helps = (Help(f"`{new}`", Edit(whole, new)),)
        else:
            shift = min(len(one) - len(one.lstrip()) for one in body)
            block = "\n".join(["block repeated", *(f"    {one[shift:]}" for one in body)])
            edits = (Edit(Span(source, 0, 0), f"{block}\n\n"), Edit(whole, f"{count[1]} x repeated()"))
            helps = (Help(f"`{count[1]} x repeated()`, with its lines in `block repeated`", *edits),)
    return Finding("E001", "a spec has no loops", line, "not a step", notes=notes, helps=helps)
