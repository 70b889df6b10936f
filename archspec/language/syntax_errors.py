"""Error messages for lines that the grammar rejects, in the user's terms: no parser token is shown.

In: lark's exception and the line. Out: one `Finding`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import suggest
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.layout import Layout

# each terminal as a reader would call it; several share a phrase
_PHRASES = {
    "NUMBER": "a number",
    "NAME": "a name",
    "CALL": "a call",
    "LAYER": "a layer",
    "REFERENCE": "`@name`",
    "EXTENT": "a size like `3x3`",
    "SHORT": "an argument like `s2`",
    "VOLUME": "a volume like `[55x55x96]`",
    "LSQB": "a volume like `[55x55x96]`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "_ARROW": "`->`",
    "_TIMES": "`x`",
    "$END": "the end of the line",
    "ADD": "an operator",
    "MUL": "an operator",
    "COMPARE": "a comparison",
    "AND": "an operator",
    "OR": "an operator",
    "NOT": "`not`",
    "FIGURE": "a figure like `1.7M`",
    "CLAIM": "`params:` or `memory:`",
    "TITLE": "a title",
}
_QUIET = {"CLAIM", "NOTE", "LABEL", "FIGURE", "BYTES", "PROSE"}
_CLOSERS = {"(": ")", "[": "]"}
_FIRST_NAME = re.compile(r"([a-z]\w*?)[0-9]*(?!\w)")
_ARGUMENTS = ("NUMBER", "EXTENT", "SHORT", "CALL", "COLON", "LPAR")
_DECLARATIONS = {"net", "use", "param", "variant", "block", "after", "init", "train"}
_KEYWORDS = _DECLARATIONS | {"let", "if", "else", "aux", "and", "or", "not"}


def explain_token(unexpected: UnexpectedToken, line: Span, layers: Mapping[str, str]) -> Finding:
    """Explain why the parser rejects a token; `layers` are those of `parse`."""
    token = unexpected.token
    if token.type == "$END":
        return _unbalanced(line) or _cut_short(unexpected, line)
    start = line.start + (token.start_pos or 0)
    span = Span(line.source, start, max(start + 1, line.start + (token.end_pos or 0)))
    return _unbalanced(line) or _known_mistake(unexpected, span, line, layers) or _unexpected(unexpected, span, line)


def explain_character(unexpected: UnexpectedCharacters, line: Span) -> Finding:
    """Explain why a character begins no token."""
    at = line.start + (unexpected.pos_in_stream or 0)
    span = Span(line.source, at, at + 1)
    character = span.text
    if character == "\t":
        return Finding("E003", "a tab between words", span, "this is a tab", helps=("use spaces",))
    shown = f"`{character}`" if character.isprintable() else f"character U+{ord(character):04X}"
    wider = _word_at(line, at)
    return _unbalanced(line) or _known_text(wider) or _stray(shown, span, line, unexpected)


def _stray(shown: str, span: Span, line: Span, unexpected: UnexpectedCharacters) -> Finding:
    expected = _expected(unexpected.allowed or set())
    helps = _hint(span, line) or ((f"expected {expected}",) if expected else ())
    return Finding("E002", f"unexpected {shown}", span, "not expected", helps=helps)


def _word_at(line: Span, at: int) -> Span:
    found = re.compile(r"\S*").match(line.source.text, at, line.end)
    return Span(line.source, at, found.end() if found else at + 1)


def _known_text(span: Span) -> Finding | None:
    text = span.text
    if text.startswith(("=>", "-->", "- >", "~>")):
        arrow = Span(span.source, span.start, span.start + 2)
        return Finding("E002", f"`{text[:2]}` is not an arrow", arrow, "not expected", helps=("`->`",))
    return None


def _unbalanced(line: Span) -> Finding | None:
    """Report an unbalanced parenthesis or bracket."""
    stack: list[int] = []
    for offset, character in enumerate(line.text, line.start):
        if character in _CLOSERS:
            stack.append(offset)
        elif character in _CLOSERS.values():
            if not stack or _CLOSERS[line.source.text[stack[-1]]] != character:
                span = Span(line.source, offset, offset + 1)
                opener = next(opener for opener, closer in _CLOSERS.items() if closer == character)
                return Finding("E012", f"unmatched `{character}`", span, f"no `{opener}` before it")
            stack.pop()
    if not stack:
        return None
    at = stack[-1]
    opener = line.source.text[at]
    helps = (f"add `{_CLOSERS[opener]}`",)
    return Finding("E012", f"unclosed `{opener}`", Span(line.source, at, at + 1), "opened here", helps=helps)


def _cut_short(unexpected: UnexpectedToken, line: Span) -> Finding:
    end = Span(line.source, max(line.start, line.end - 1), line.end)
    if line.text.endswith(("->", "→")):
        helps = ("add the next step, or drop it: the next line continues from this one anyway",)
        arrow = Span(line.source, line.end - (2 if line.text.endswith("->") else 1), line.end)
        return Finding("E006", "nothing after `->`", arrow, "leads nowhere", helps=helps)
    expected = _expected(unexpected.accepts or unexpected.expected) or "more on this line"
    first = re.match(r"\w+", line.text)
    if first and first.group() in _KEYWORDS:
        return Finding("E001", f"incomplete `{first.group()}`", end, f"expected {expected}")
    return Finding("E001", "the line ends too early", end, f"expected {expected}")


def _known_mistake(unexpected: UnexpectedToken, span: Span, line: Span, layers: Mapping[str, str]) -> Finding | None:
    token = unexpected.token
    before = line.source.text[line.start : span.start].rstrip()
    word = re.search(r"(\S+)$", before)
    arrow = _known_text(Span(line.source, span.start, min(line.end, span.start + 3)))
    if arrow:
        return arrow
    first = _FIRST_NAME.match(line.text)
    if first and first[1] in layers and (token.type in _ARGUMENTS or token.start_pos == 0):
        name, layer = first.group(), layers[first[1]]
        whole = Span(line.source, line.start, line.start + len(name))
        helps = (f"`{name.upper() if layer == first[1].upper() else layer}`",)
        return Finding("E001", f"layers are written in capitals: `{name}`", whole, "lower case", helps=helps)
    called = re.search(r"\b([A-Z][A-Za-z0-9]+)\(", line.text)
    if called:
        opened = Span(line.source, line.start + called.start(), line.start + called.end())
        helps = (f"arguments follow the layer without parentheses: `{called[1]} 64 3x3 s2`",)
        return Finding("E001", "a layer is not called with parentheses", opened, "not a block", helps=helps)
    if token.type == "REFERENCE":
        helps = (f"begin a line with `{span.text}`, or a branch: `| {span.text}`",)
        return Finding(
            "E105", f"`{span.text}` is a volume and cannot be an argument of a layer", span, "a volume", helps=helps
        )
    after_a_step = word and (")" in word.group() or re.match(r"(\[.*\] *)?[A-Z]{2}", line.text))
    if token.type in ("LAYER", "CALL") and after_a_step:
        helps = (f"`{before} -> {span.text}`",)
        return Finding("E006", f"missing `->` before `{span.text}`", span, "a second step", helps=helps)
    return None


def _unexpected(unexpected: UnexpectedToken, span: Span, line: Span) -> Finding:
    expected = _expected(unexpected.accepts or unexpected.expected)
    text = span.text if len(span.text) <= 30 else span.text[:30] + "…"
    helps = _hint(span, line) or ((f"expected {expected}",) if expected else ())
    if span.text in _KEYWORDS:
        helps = (f"`{span.text}` is a keyword: choose another name",)
    return Finding("E001", f"unexpected `{text}`", span, "not expected", helps=helps)


def _hint(span: Span, line: Span) -> tuple[str, ...]:
    """Suggest what to write in place of another language's syntax."""
    first = span.text[:1]
    if first and first in "\"'":
        return ("names and numbers are written without quotes",)
    if first and first in "{};":
        return ("blocks are indented, without braces; lines end without `;`",)
    before = line.source.text[line.start : span.start]
    if before.rfind("[") > before.rfind("]"):
        return ("separate the sizes with `x`: `[224x224x3]`",)
    return ()


def _expected(terminals: set[str]) -> str:
    phrases = sorted({_PHRASES[terminal] for terminal in terminals if terminal in _PHRASES and terminal not in _QUIET})
    if len(phrases) > 6:
        return ""
    return " or ".join(phrases) if len(phrases) < 3 else ", ".join(phrases[:-1]) + " or " + phrases[-1]


def stray_branch(span: Span) -> Finding:
    """Return the finding for a branch under a line that is not a merge."""
    helps = ("branches belong under a merge: a line that ends with `add`, `concat` or `mul`",)
    return Finding("E005", "a branch without a merge", span, "a branch", helps=helps)


def inner_declaration(line: Span, span: Span) -> Finding:
    """Return the finding for a declaration under a line: a block's, an arm's, a branch's."""
    word = line.text.split(maxsplit=1)[0]
    where = "a branch" if word == "|" else f"`{word}`"
    helps = ("move it to the left margin",)
    return Finding("E005", f"a declaration inside {where}", span, "inside", helps=helps)


def empty_recipe(span: Span) -> Finding:
    """Return the finding for a `train` section without settings."""
    helps = ("indent its settings under it: `lr 0.1 for batch 256, cosine`; or drop the line",)
    return Finding("E011", "nothing is indented under `train`", span, "needs settings", helps=helps)


def no_setting(span: Span) -> Finding:
    """Return the finding for a line under a setting."""
    helps = ("one setting per line: `epochs 90`",)
    return Finding("E011", "not a training setting", span, "a setting has no lines under it", helps=helps)


def no_merge(merges: list[s.MergeStep], branches: list[Layout]) -> Finding:
    """Return the finding for branches without a merge at the end of the line above."""
    if merges:
        helps = ("end the line after it; what follows the merge belongs on the line below the branches",)
        return Finding("E005", f"`{merges[0].name}` must be the last step of its line", merges[0].span, helps=helps)
    helps = ("end the line with `-> add`, `-> concat` or `-> mul`",)
    return Finding(
        "E005", "branches under a line that does not end with a merge", branches[0].span, "a branch", helps=helps
    )


def bare_name(step: s.MergeStep, layers: Mapping[str, str]) -> Finding:
    """Return the finding for a name that is not a step."""
    if step.name in ("add", "concat", "mul"):
        helps: tuple[str, ...] = ("indent its branches under it, each after a `|`",)
        return Finding("E005", f"`{step.name}` has no branches under it", step.span, helps=helps)
    helps = (f"`{step.name}(...)` calls a block, `@{step.name}` uses a result",)
    near = suggest(step.name, layers, cutoff=0.75)
    if near:
        helps += (f"did you mean `{layers[near]}`?",)
    return Finding("E005", f"`{step.name}` is not a step", step.span, helps=helps)
