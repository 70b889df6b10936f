"""Error messages about lines that do not belong where they are: branches, merges, bodies, declarations.

In: the lines and what is under them. Out: findings, whose helps carry the edits that put the lines in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help, suggest
from archspec.diagnostics.source import Source, Span
from archspec.language import syntax as s
from archspec.language.layout import Layout
from archspec.language.mistakes.indentation import column, moved_to, unexpected
from archspec.language.mistakes.rules.declared import capitals
from archspec.language.mistakes.rules.settings import unindented

_NO_MERGE = "branches under a line that does not end with a merge"
_BEGINS = re.compile(r"\s*(?:(?:block|param|variant|net|use|after|train|else|TOTAL)\b|\[[^\]]*\] *INPUT|INPUT)")
_MERGES = ("add", "concat", "mul")


def _lines(lines: list[Layout]) -> Iterator[Span]:
    """Yield the first span on each line of a tree."""
    waiting, seen = lines[::-1], -1
    while waiting:
        line = waiting.pop()
        if line.span.line != seen:
            seen = line.span.line
            yield line.span
        waiting += line.children[::-1]


def _insertion(at: int, source: Source, text: str) -> Edit:
    return Edit(Span(source, at, at), text)


def _end(line: Layout) -> int:
    """Return the end of the last line of a tree."""
    *_, last = _lines([line])
    end = last.source.text.find("\n", last.end)
    return end if end >= 0 else len(last.source.text)


def misplaced(lines: list[Layout], above: Span) -> Finding:
    """Return the finding for lines that are indented under one that has nothing under it."""
    if capital := capitals(above.source):
        raise capital
    keyword = re.match(r"(?:block|if|else|train)\b", above.text, re.IGNORECASE)
    if keyword and keyword[0] != keyword[0].lower():
        word = Span(above.source, above.start, above.start + keyword.end())
        lower = Help(f"`{keyword[0].lower()}`", Edit(word, keyword[0].lower()), is_safe=True)
        return Finding("E001", f"keywords are in lower case: `{keyword[0]}`", word, "upper case", helps=(lower,))
    left = column(above)
    delta = column(lines[0].span) - left
    spans = list(_lines(lines))
    finding = unexpected(lines[0].span, left, [])
    edits = [_moved(span, max(left, column(span) - delta)) for span in spans]
    finding.helps = (Help(finding.helps[0], *edits, is_safe=True),)
    return finding


def _moved(span: Span, to: int) -> Edit:
    text = span.source.line(span.line)
    first = Span(span.source, span.start - (span.source.position(span.start)[1] - 1) + column(span), span.end)
    assert text
    return moved_to(first, to)


def empty(source: Source) -> Diagnostic:
    """Return the finding for a text without a single statement."""
    notes = ("a spec begins with its input: `[224x224x3] INPUT`",)
    return Diagnostic("E010", f"{source.name} contains no layers", notes=notes)


def _branches_at(merge: Span) -> list[int]:
    """Return where the lines begin that are the branches of a merge, if they are at its column."""
    text, left, starts = merge.source.text, column(merge), []
    at = text.find("\n", merge.end) + 1
    while at:
        end = text.find("\n", at)
        line = text[at : end if end >= 0 else len(text)]
        place = len(line) - len(line.lstrip())
        if line.strip() and (place < left or (place == left and line[place] != "|")):
            break
        starts += [at] if line.strip() else []
        at = end + 1
    return starts if starts and text[starts[0] :].startswith(" " * left + "|") else []


def _indented(starts: list[int], merge: Span) -> list[tuple[int, int]]:
    """Return which lines are indented under a merge, and by how much: like the branches that are, if there are any."""
    text, left = merge.source.text, column(merge)
    lines = [(at, re.match(r" *", text[at:])[0], text[at : text.find("\n", at) + 1 or None]) for at in starts]  # type: ignore[index]
    for (_, _, above), (_, indent, line) in pairwise(lines):
        if len(indent) > left and line.lstrip().startswith("|") and not re.search(r"\b(?:add|concat|mul)\s*$", above):
            return [(at, len(indent) - left) for at, other, _ in lines if len(other) == left]
    return [(at, 2) for at in starts]


def inner_declaration(line: Layout, node: Span) -> Finding:
    """Return the finding for a declaration under a line: a block's, an arm's, a branch's."""
    word = line.span.text.split(maxsplit=1)[0]
    where = "a branch" if word == "|" else f"`{word}`"
    source = node.source
    helps: tuple[str, ...] = ()
    inner = next((child for child in line.children if child.span.start <= node.start < child.span.end), None)
    if inner and len(line.children) > 1:
        start, end = source.text.rfind("\n", 0, inner.span.start) + 1, _end(inner)
        shift = column(inner.span)
        moved = "\n".join(
            text[min(shift, len(text) - len(text.lstrip())) :] for text in source.text[start:end].split("\n")
        )
        gone = Edit(Span(source, start, min(end + 1, len(source.text))), "")
        head = "" if source.text.endswith("\n") else "\n"
        if end + 1 < len(source.text):
            helps = (
                Help("move it to the left margin", gone, _insertion(len(source.text), source, f"{head}{moved}\n")),
            )
        else:
            helps = (Help("move it to the left margin", Edit(Span(source, start, len(source.text)), f"{moved}\n")),)
    return Finding("E005", f"a declaration inside {where}", node, "inside", helps=helps)


def empty_recipe(span: Span) -> Finding:
    """Return the finding for a `train` section without settings."""
    if margin := unindented(span):
        return margin
    edit = _insertion(span.end, span.source, "\n    lr 0.1 for batch 256, cosine")
    start = span.source.text.rfind("\n", 0, span.start) + 1
    helps = (
        Help("indent its settings under it: `lr 0.1 for batch 256, cosine`", edit),
        Help("drop the line", Edit(Span(span.source, start, span.end), "")),
    )
    return Finding("E011", "nothing is indented under `train`", span, "needs settings", helps=helps)


def no_setting(span: Span) -> Finding:
    """Return the finding for a line under a setting."""
    notes = ("one setting per line: `epochs 90`",)
    return Finding("E011", "not a training setting", span, "a setting has no lines under it", notes=notes)


def no_body(span: Span) -> Finding:
    """Return the finding for a line that needs lines under it."""
    message, label = "nothing is indented under this line", "needs a body"
    edits = [_insertion(line.start, span.source, "    ") for line in _following(span)]
    if edits:
        helps = (Help("indent the lines that belong to it", *edits),)
        return Finding("E005", message, span, label, helps=helps)
    notes = ("indent the lines that belong to it",)
    if re.search(r"\w *\( *[\w@]", span.text):  # what passes its input through uses no parameter
        return Finding("E005", message, span, label, notes=notes)
    edit = _insertion(span.end, span.source, "\n" + " " * (column(span) + 4) + "x")
    helps = (Help("`x` alone passes its input through", edit),)
    return Finding("E005", message, span, label, notes=notes, helps=helps)


def _following(span: Span) -> list[Span]:
    """Return the lines below one, up to the next that is empty, declares something or begins the network."""
    found = []
    at = span.source.text.find("\n", span.end) + 1
    while at:
        end = span.source.text.find("\n", at)
        text = span.source.text[at : end if end >= 0 else None]
        if not text.strip() or _BEGINS.match(text):
            break
        found.append(Span(span.source, at + len(text) - len(text.lstrip()), at + len(text)))
        at = end + 1
    return found


def stray_else(span: Span) -> Finding:
    """Return the finding for an `else` that follows no `if`."""
    notes = ("`else` begins at the column of its `if`, below the lines under it",)
    return Finding("E005", "`else` without an `if` above it", span, "no matching `if`", notes=notes)


def no_merge(merges: list[s.MergeStep], layers: Mapping[str, str], line: Layout) -> Finding:
    """Return the finding for branches without a merge at the end of the line above."""
    source = line.span.source
    if merges and merges[0].name not in _MERGES:
        return _no_step(merges[0], layers)
    if merges:
        message = f"`{merges[0].name}` must be the last step of its line"
        after = re.match(r"\s*(?:->|→)?\s*", source.text[merges[0].span.end : line.span.end])
        rest = source.text[merges[0].span.end + (after.end() if after else 0) : line.span.end]
        below = _insertion(_end(line), source, "\n" + " " * column(line.span) + rest)
        gone = Edit(Span(source, merges[0].span.end, line.span.end), "")
        helps: tuple[str, ...] = (
            (Help(f"move `{rest}` to a line of its own, below the branches", gone, below),) if rest else ()
        )
        return Finding("E005", message, merges[0].span, helps=helps)
    word = re.search(r"[A-Za-z]+$", line.span.text)
    if word and word[0].lower() in _MERGES:
        span = Span(source, line.span.end - len(word[0]), line.span.end)
        helps = (Help(f"`{word[0].lower()}`", Edit(span, word[0].lower()), is_safe=True),)
        return Finding("E102", f"unknown merge `{word[0]}`", span, "merges are in lower case", helps=helps)
    branch, *others = [child for child in line.children if child.is_branch]
    at = line.span.end
    if not others:
        second = _insertion(_end(branch), source, "\n" + " " * (column(branch.span)) + "| x")
        text = "end the line with `-> add`, and give it a second branch: `| x`"
        helps = (Help(text, _insertion(at, source, " -> add"), second),)
        return Finding("E005", _NO_MERGE, branch.span, "a branch", helps=helps)
    helps = tuple(Help(f"end the line with `-> {name}`", _insertion(at, source, f" -> {name}")) for name in _MERGES)
    return Finding("E005", _NO_MERGE, branch.span, "a branch", helps=helps)


def bare_name(step: s.MergeStep, layers: Mapping[str, str], line: Layout) -> Finding:
    """Return the finding for a merge without branches, or for a name that is not a step."""
    name, source = step.name, step.span.source
    if name in _MERGES and (left := _branches_at(line.span)):
        edits = [_insertion(at, source, " " * width) for at, width in _indented(left, line.span)]
        what = f"the branches of `{name}` are not indented"
        return Finding("E005", what, step.span, helps=(Help("indent them under it", *edits),))
    if name in _MERGES:
        edits = [_insertion(child.span.start, source, "| ") for child in line.children]
        helps: tuple[str, ...] = (Help("begin each of its branches with `| `", *edits),) if edits else ()
        notes: tuple[str, ...] = () if edits else ("its branches are indented under it, each after a `|`",)
        return Finding("E005", f"`{name}` has no branches under it", step.span, notes=notes, helps=helps)
    return _no_step(step, layers)


def _no_step(step: s.MergeStep, layers: Mapping[str, str]) -> Finding:
    """Return the finding for a name that is not a step."""
    name, source = step.name, step.span.source
    helps: tuple[str, ...]
    notes = (f"`{name}(...)` calls a block, `@{name}` uses a result",)
    block = re.search(rf"^[ \t]*block +{name}\b *(\([^\n]*\))?", source.text, re.MULTILINE)
    if name == "X":
        return Finding("E005", "`X` is not a step", step.span, helps=(Help("`x`", Edit(step.span, "x"), is_safe=True),))
    near = suggest(name, layers, cutoff=0.75)
    if block:
        notes = (f"`{name}` is a block: {block[0].strip()}",)
        needed = [one for one in re.findall(r"@?\w+(?:=[^,]+)?", (block[1] or "")[1:-1]) if "=" not in one]
        helps = () if needed else (Help(f"`{name}()`", Edit(step.span, f"{name}()"), is_safe=True),)
    elif re.search(rf"^\s*(?:\[[^\]]*\] *)?{name}: ", source.text, re.MULTILINE):
        helps = (Help(f"`@{name}`", Edit(step.span, f"@{name}"), is_safe=True),)
    else:
        helps = (Help(f"did you mean `{layers[near]}`?", Edit(step.span, layers[near])),) if near else ()
    return Finding("E005", f"`{name}` is not a step", step.span, notes=notes, helps=helps)
