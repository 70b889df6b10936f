"""Error messages for lines that the grammar rejects and no rule mends, in the user's terms: no parser token is shown.

In: lark's exception and the line. Out: one `Finding`.
"""

from __future__ import annotations

import re

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language.mistakes.reading import Reading
from archspec.language.mistakes.rules import origins
from archspec.language.mistakes.rules.brackets import CLOSERS, unbalanced
from archspec.language.mistakes.rules.declared import KEYWORDS

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
LONGEST = 200  # characters of a line that is proposed
_RESERVED = {*KEYWORDS, *origins.KEYWORDS, "and", "or", "not"}
# a line that begins so continues the arguments of another
CONTINUES = re.compile(
    r"(?:,|\d+[x×]\d+(?![x×])|[spgd]\d+\b|\d+(?:\.\d+)?(?: |$)(?!x )"
    r"|(?:at|with|and|stride|pad|filters|neurons|same|bias|nobias|groups|floor|ceil|linear)\b)"
)


def explain(error: UnexpectedInput, line: Span) -> Finding:
    """Explain why the parser rejects a line."""
    if isinstance(error, UnexpectedToken):
        return _token(error, line)
    assert isinstance(error, UnexpectedCharacters)
    at = min(line.start + (error.pos_in_stream or 0), line.end - 1)
    span = Span(line.source, at, at + 1)
    character = span.text
    shown = _shown(character)
    expected = _expected(error.allowed or set())
    notes = (f"expected {expected}",) if expected else ()
    return _unbalanced(line) or Finding("E002", f"unexpected {shown}", span, "not expected", notes=notes)


def _shown(text: str) -> str:
    return f"`{text}`" if text.isprintable() else f"character U+{ord(text[0]):04X}"


def moved(finding: Finding, reading: Reading) -> Finding:
    """Return a finding about the text of a reading as one about its source."""
    span = reading.span(finding.span.start, finding.span.end) if finding.span else None
    helps = [
        Help(
            help_,
            *(reading.edit(edit.at.start, edit.at.end, edit.replacement) for edit in help_.edits),
            is_safe=help_.is_safe,
        )
        if isinstance(help_, Help)
        else help_
        for help_ in finding.helps
    ]
    return Finding(finding.code, finding.message, span, finding.label, notes=finding.notes, helps=helps)


def _token(error: UnexpectedToken, line: Span) -> Finding:
    token = error.token
    if token.type == "$END":
        return _unbalanced(line) or _cut_short(error, line)
    start = line.start + (token.start_pos or 0)
    span = Span(line.source, start, max(start + 1, line.start + (token.end_pos or 0)))
    return _unbalanced(line) or _known_mistake(error, span, line) or _unexpected(error, span)


def _unbalanced(line: Span) -> Finding | None:
    """Report an unbalanced parenthesis or bracket."""
    found = unbalanced(line.text)
    if found is None:
        return None
    at, sign = found
    span = Span(line.source, line.start + at, line.start + at + 1)
    if sign in CLOSERS:
        return Finding("E012", f"unclosed `{sign}`", span, "opened here")
    opener = next(opener for opener, closer in CLOSERS.items() if closer == sign)
    return Finding("E012", f"unmatched `{sign}`", span, f"no `{opener}` before it")


def _cut_short(error: UnexpectedToken, line: Span) -> Finding:
    end = Span(line.source, max(line.start, line.end - 1), line.end)
    expected = _expected(error.accepts or error.expected) or "more on this line"
    first = re.match(r"\w+", line.text)
    if first and first.group() in _RESERVED:
        return Finding("E001", f"incomplete `{first.group()}`", end, f"expected {expected}")
    return Finding("E001", "the line ends too early", end, f"expected {expected}")


def _known_mistake(error: UnexpectedToken, span: Span, line: Span) -> Finding | None:
    if split := re.match(
        r"(?:block \w+(?:\([^()]*\))? *[:=](?!>)|train:?|(?:if|else if)\b[^:]*:|else:?) *(?=\S)", line.text
    ):
        return _one_line(split[0], line)
    if group := re.match(r"[\[(](.+)[\])] *(?:[xX×*]) *(\d{1,3})$", line.text):
        return _repeated(group[1], int(group[2]), line)
    if loop := re.match(r"(?:for|while|foreach|repeat)\b[^#]*", line.text):
        span = Span(line.source, line.start, line.start + len(loop[0]))
        notes = ("`3 x unit(64)` repeats a block, and `3 x CONV 64 3x3` a layer",)
        return Finding("E001", "a spec has no loops", span, "not a step", notes=notes)
    called = re.search(r"\b([A-Z][A-Za-z0-9]+)\(", line.text)
    if called:
        opened = Span(line.source, line.start + called.start(), line.start + called.end() - 1)
        notes = ("arguments follow a layer's name, without parentheses; only blocks are called",)
        return Finding("E001", "a layer is not called with parentheses", opened, "not a block", notes=notes)
    if empty := re.search(r"\[ *\] *", line.text):
        span = Span(line.source, line.start + empty.start(), line.start + len(empty[0].rstrip()) + empty.start())
        whole = Span(line.source, line.start + empty.start(), line.start + empty.end())
        notes = ("a volume is height x width x channels, such as `[224x224x3]`",)
        helps = () if "INPUT" in line.text else (Help("drop it: a volume is optional here", Edit(whole, "")),)
        return Finding("E001", "a volume without sizes", span, "empty", notes=notes, helps=helps)
    if error.token.type == "REFERENCE":
        return _volume_for_a_number(span, line)
    return None


def _repeated(steps: str, times: int, line: Span) -> Finding:
    """Return the finding for `(CONV 8 3x3 -> RELU) x 3`."""
    notes = ("only one step can be repeated: a block, for several",)
    text = f"{times} x {steps}" if "->" not in steps else " -> ".join([steps] * times)
    is_plain = re.match(r"[A-Za-z@]", steps) and not re.search(r"[;,](?![^()]*\))|[\[\]]", steps)
    helps = (Help(f"`{text}`", Edit(line, text)),) if len(text) <= LONGEST and is_plain else ()
    return Finding("E001", "steps in brackets are not repeated", line, "not a step", notes=notes, helps=helps)


def _one_line(head: str, line: Span) -> Finding:
    end = line.start + len(head.rstrip(" :="))
    margin = line.source.position(line.start)[1] + 3
    edit = Edit(Span(line.source, end, line.start + len(head)), "\n" + " " * margin)
    span = Span(line.source, line.start + len(head), line.end)
    word = head.split(maxsplit=1)[0].rstrip(":")
    help_ = Help(f"put it on a line of its own, indented under `{word}`", edit, is_safe=True)
    code = "E001"
    return Finding(code, f"`{word}` is followed by the lines under it", span, "on the same line", helps=(help_,))


def _volume_for_a_number(span: Span, line: Span) -> Finding:
    if line.text.startswith("loss "):
        text = line.text.replace("@", "")
        helps: tuple[Help, ...] = (Help(f"`{text}`", Edit(line, text), is_safe=True),)
        return Finding("E011", "a loss is named by a label, without `@`", span, "a volume", helps=helps)
    if re.search(r"\bMHSA(?: [\w=]+)* $", line.text[: span.start - line.start]):
        helps = (Help(f"`kv={span.text}` takes keys and values from it", Edit(span, f"kv={span.text}")),)
        return Finding("E105", "a volume is given to MHSA by name", span, "no name", helps=helps)
    step = line.text.replace(span.text, "", 1).replace("  ", " ").strip()
    helps = ()
    notes = (f"a line, or a branch, begins with `{span.text}`",)
    if re.search(r"\d .*\d[x×]\d|FC \d", step):
        helps = (Help(f"`{span.text} -> {step}`", Edit(line, f"{span.text} -> {step}")),)
    message = f"`{span.text}` is a volume and cannot be an argument of a layer"
    return Finding("E105", message, span, "a volume", notes=notes, helps=helps)


def _unexpected(error: UnexpectedToken, span: Span) -> Finding:
    text = _shown(span.text if len(span.text) <= 30 else span.text[:30] + "…")
    if span.text in _RESERVED:
        notes: tuple[str, ...] = (f"`{span.text}` is a keyword: choose another name",)
        return Finding("E001", f"unexpected {text}", span, "not expected", notes=notes)
    expected = _expected(error.accepts or error.expected)
    notes = (f"expected {expected}",) if expected else ()
    return Finding("E001", f"unexpected {text}", span, "not expected", notes=notes)


def _expected(terminals: set[str]) -> str:
    phrases = sorted({_PHRASES[terminal] for terminal in terminals if terminal in _PHRASES and terminal not in _QUIET})
    if len(phrases) > 6:
        return ""
    return " or ".join(phrases) if len(phrases) < 3 else ", ".join(phrases[:-1]) + " or " + phrases[-1]
