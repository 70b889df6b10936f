"""One line that must become several, or several that become one: loops, sums, and lines that a page broke.

In: a line that the grammar rejects, in its source. Out: what it means, with a help that carries the edit; None for
other lines.
"""

from __future__ import annotations

import re
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.mistakes import rejections
from archspec.language.mistakes.attempt import Grammar
from archspec.language.mistakes.foreign import lines, papers
from archspec.language.mistakes.reading import Reading
from archspec.language.mistakes.rules import outputs, words
from archspec.language.mistakes.rules.rule import Mistake, Words

_LOOP = re.compile(r"(?:for|foreach|while|repeat|loop)\b[^#]*")
_SUM_AT_THE_END = re.compile(r"(?P<head>)(?P<left>[A-Z]{2}.*?) +(?P<sign>[+*]) +(?P<right>@?[a-z_]\w*)$")
_COUNT = re.compile(
    r"(?:\bin +(?:range *\()?|\brepeat +|\bloop +)(?:1 *, *|0 *, *|1 *\.\. *)?(\w+)\)?(?: +times)?(?: *:)?$"
)
_SUM = re.compile(r"(?:(?P<head>\S.*?) *(?:->|→) *)?(?P<left>@?[a-z_]\w*) *(?P<sign>[+*]) *(?P<right>[@A-Za-z].*)$")
_BRACED = re.compile(r"(block +\w+ *(?:\([^()]*\))?) *\{ *([^{}]*?) *\}$")
_SAID = re.compile(r"(?P<left>[A-Z]{2}.*?) *(?:->|→) *(?P<name>add|concat|mul) +(?:with +)?(?P<right>@?[a-z_]\w*)$")
_BEGINS = re.compile(r"\s*(?:block|if|else)\b|.*\bINPUT\b|\s*(?:add|concat|mul)$")  # below them `x` has one meaning
_MERGES = {"+": "add", "*": "mul"}
MOST_LINES = 40


def is_loop(line: Span) -> bool:
    """Whether a line is the head of a loop."""
    return _LOOP.match(line.text) is not None


def counts(line: Span) -> bool:
    """Whether a line is the head of a loop, and says how often its lines are repeated."""
    return line.text.endswith(":") and is_loop(line) and _COUNT.search(line.text) is not None


def known(line: Span) -> Finding | None:
    """Return the finding for a line of another kind of text, of which no rule must mend a part."""
    if counts(line):
        return loop(line)
    return outputs.meant(line) or papers.pattern(line) or papers.block(line) or papers.row(line)


def summed(line: Span) -> Finding | None:
    """Return the finding for a sum of steps, a block on one line, or a line of a framework."""
    if alien := lines.untranslated(line):
        return alien
    if braced := _BRACED.match(line.text):
        margin = " " * (line.source.position(line.start)[1] + 3)
        help_ = Help("indent its lines under it", Edit(line, f"{braced[1]}\n{margin}{braced[2]}"), is_safe=True)
        return Finding("E001", "the lines of a block are indented, not in braces", line, "in braces", helps=(help_,))
    if said := _SAID.match(line.text):
        branches, message = [said["left"], said["right"]], f"`{said['name']}` has its branches under it"
        return _unclear(line, branches, message) or _merge(line, said["name"], None, branches, message)
    found = _SUM.match(line.text) or _SUM_AT_THE_END.match(line.text)
    if not found or re.match(r"(?:let|param|if|else|net|use|block|after|init|aux)\b", line.text):
        return None
    name, message = _MERGES[found["sign"]], f"`{found['sign']}` does not merge"
    branches = [found["left"], found["right"]]
    unclear = None if found["head"] else _unclear(line, branches, message)
    return unclear or _merge(line, name, found["head"], branches, message)


def _unclear(line: Span, branches: list[str], message: str) -> Finding | None:
    """Return the finding for a sum with `x` that may mean an earlier value than that of the line above."""
    above = line.source.text[: line.start].rstrip(" \t\n|").rpartition("\n")[2]
    if "x" not in (one.strip() for one in branches) or _BEGINS.match(above):
        return None
    notes = (
        "a sum is `add`, with its branches under it, each after a `|`: in them `x` is the result of the line above",
        "an earlier result is used by its name: `stem: CONV 64 3x3`, and `@stem` in a branch",
    )
    return Finding("E001", message, line, "a merge", notes=notes)


def _branch(text: str) -> str:
    text = text.strip()
    return text if text == "x" or not re.fullmatch(r"[a-z_]\w*", text) else f"@{text}"


def _merge(line: Span, name: str, head: str | None, branches: list[str], message: str) -> Finding:
    margin = " " * (line.source.position(line.start)[1] - 1)
    first = f"{head} -> {name}" if head else name
    written = [first, *(f"{margin}    | {_branch(text)}" for text in branches)]
    help_ = Help(f"`{name}` with its branches under it, each after a `|`", Edit(line, "\n".join(written)))
    return Finding("E001", message, line, "a merge", helps=(help_,))


def loop(line: Span) -> Finding:
    """Return the finding for the head of a loop and the lines under it."""
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


def joined(line: Span, words_: Words, grammar: Grammar) -> tuple[s.Chain, Mistake] | None:
    """Return a line that a page broke, read with the line above, whose arguments it continues."""
    named = {word for word in re.findall(r"[A-Za-z]{2,}", line.text) if words_.layer(word)}
    if not rejections.CONTINUES.match(line.text) or named - words.AMBIGUOUS:
        return None
    source = line.source
    before = source.text.rfind("\n", 0, line.start)
    above = source.line(source.position(line.start)[0] - 1) if before > 0 else ""
    text = above.strip()
    if not text or "#" in above or "INPUT" in above:
        return None
    start = before - len(above) + len(above) - len(above.lstrip())
    reading = Reading(Span(source, start, line.end))
    gap = Span(source, before - len(above) + len(above.rstrip()), line.start)
    node = grammar.tried(reading.silently(gap.start - start, gap.end - start, " "), "line")
    if not isinstance(node, s.Chain):
        return None
    label, what = "belongs to the line above", "the line begins with an argument"
    return node, Mistake("broken", "E001", what, label, line, (Edit(gap, " "),), "join it with the line above", True)


def undivided(line: Span, grammar: Grammar) -> tuple[Any, Mistake] | None:
    """Return a line that ends inside a word or a volume, read with the line below."""
    text = line.source.text
    below = re.match(r"-\n[ \t]*(?=[a-z])([^#\n]*)", text[line.end - 1 : line.end + 500])
    what, label = "a word is divided at the end of the line", "one word"
    start = line.end - 1
    if not below or not re.search(r"[a-z]{2}-$", line.text):
        start = line.end
        below = re.match(r"\n[ \t]*(?=[\dx×, ]*\])([^#\n]*)", text[start : start + 500])
        what, label = "a volume is divided at the end of the line", "one volume"
        if not below or not re.search(r"\[[\dx×, ]*$", line.text):
            return None
    gap = Span(line.source, start, start + below.start(1))
    whole = Reading(Span(line.source, line.start, start + len(below[0].rstrip())))
    node = grammar.tried(whole.silently(gap.start - line.start, gap.end - line.start, ""), "line")
    mistake = Mistake("divided", "E001", what, label, line, (Edit(gap, ""),), "join the lines", True)
    return (node, mistake) if node else None
