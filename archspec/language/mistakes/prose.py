"""Prose among the lines of a spec: sentences, titles, names, page numbers, as slides and answers have them.

In: a line that is not in the notation. Out: whether it is prose, and the mistake that says so once.
"""

from __future__ import annotations

import re

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Span
from archspec.language.mistakes import pasted
from archspec.language.mistakes.rules.declared import KEYWORDS
from archspec.language.mistakes.rules.rule import Mistake, Words

_WORD = re.compile(r"[^\W\d_][^\W\d_]*(?:['’-][^\W\d_]+)*")
_COMMON = """
the a an is are was were be of we you i this that these those it its in on for by from as has have had here there
not no which each every all can will would should our your my below above following using use used note let's sure
et al if so then than but or into between how what where when why does do only first second last next is-a der die
das und ist ein eine mit von le la les des est une
"""
_FUNCTION = frozenset(_COMMON.split())
_PAGE = re.compile(
    r"\W*(?:(?:page|slide|stage|step|part|lecture|p|fig|figure|table|chapter|section)\b\.?)?\W*\d+(?:\W+(?:of\W+)?\d+)*\W*",
    re.I,
)
_SIGNS = re.compile(
    r"->|→|=>|[{}|@]|==|^\[ *\d|\b\w+ ?= ?[\w.(]|\w+\(.*\)\s*$|^\W*[A-Z]{2,}[\d-]* +\d|\b(?:add|concat|mul)\W*$"
)
_CODE = re.compile(
    r"(?:for|while|if|else|elif|def|class|return|import|from|with|print|block|let|param)\b.*(?:[()=]|\bin\b|:$)"
)
_ARGUMENT = re.compile(r"\d+x\d+|\b(?:stride|filters?|pad|padding)\b|\b[sp]\d\b")
# what a layer may be called in a sentence, and what only layers have
_LAYERISH = re.compile(
    r"conv|pool|norm|dense|linear|relu|activation|embed|attention|block|residual|dropout|flatten|softmax|concat|skip"
    r"|shortcut|repeat|transformer|connected|layer|stride|filter|\badd\b|\bx\b|\d *[x×] *\d|^[A-Z]+\d",
    re.I,
)
_REPEAT = re.compile(r"\W*(?:repeat|apply|add|then|followed)\b", re.I)
_LINK = re.compile(r"https?://|www\.")


def is_prose(text: str, words: Words) -> bool:
    """Whether a line that cannot be read is prose: a sentence, a title, a page number."""
    if (_PAGE.fullmatch(text) and "[" not in text) or _LINK.search(text) or is_sentence(text, words):
        return True
    found = _WORD.findall(text)
    if not found or _SIGNS.search(text) or _CODE.match(text) or found[0] in KEYWORDS:
        return False
    layers = [word for word in found if words.layer(word)]
    if layers and not text.rstrip().endswith(("architecture", ":", ".")) and len(layers) * 3 > len(found):
        return False
    letters = sum(len(word) for word in found)
    if letters * 2 < len(text.replace(" ", "")):
        return False
    if _ARGUMENT.search(text) and sum(word.lower() in _FUNCTION for word in found) < 2:
        return False
    if found[0] in words.blocks or found[0].lower() in ("input", "import", "from", "return"):
        return False
    foreign = not all(word.isascii() for word in found)
    return foreign or len(found) > 1


def is_sentence(text: str, words: Words) -> bool:
    """Whether a line is a sentence, whatever the notation could make of parts of it."""
    found = [word.lower() for word in _WORD.findall(text)]
    if (
        len(found) < 3
        or _SIGNS.search(text)
        or _CODE.match(text)
        or (found[0] in KEYWORDS and not text.endswith((".", ":")))
    ):
        return False
    common = sum(word in _FUNCTION for word in found)
    first_is_layer = bool(words.layer(found[0])) and re.match(r"\W*\w+ +\d", text)
    return not first_is_layer and (common > 1 or (common == 1 and text.rstrip().endswith((".", ":", "!", "?"))))


def is_title(text: str) -> bool:
    """Whether a line that has the form of an unknown layer is the title or the number of a page."""
    words = [word for word in text.split() if _WORD.match(word)]
    return _PAGE.fullmatch(text) is not None or (len(words) > 1 and not _SIGNS.search(text))


def mistake(line: Span, words: Words) -> Mistake:
    """Return the mistake of a line of prose; one that may name a layer in words is not left out without asking."""
    number = line.line
    start = line.source.text.rfind("\n", 0, line.start) + 1
    before = line.source.text[start : line.start]
    at = line.start if "|" in before else start + len(before) - len(before.lstrip())
    edit = Edit(Span(line.source, at, at), "# ")
    if _LAYERISH.search(line.text) and (not is_sentence(line.text, words) or _REPEAT.match(line.text)):
        what = f"line {number} is in words, not in the notation"
        if meant := _in_words(line.text, words):
            return Mistake("words", "E001", what, "a layer?", line, (Edit(line, meant),), f"`{meant}`", False)
        return Mistake("words", "E001", what, "a layer?", line, (edit,), "put `#` before it if it is a note", False)
    what = "a page number" if not _WORD.search(line.text) else "prose"
    return Mistake("prose", "E001", f"line {number} is {what}", "not a layer", line, (edit,), "put `#` before it", True)


def _in_words(text: str, words: Words) -> str | None:
    """Return `MAXPOOL 2x2 s2` for `Max pool 2x2 s2`, if its first words name a layer."""
    parts = text.rstrip(" .:").split()
    for number in (3, 2, 1):
        name = "".join(parts[:number])
        if len(parts) >= number and name.isalpha() and (layer := words.layer(name)):
            return " ".join([layer, *parts[number:]])
    return None


def remark(line: Span) -> Mistake:
    """Return the mistake of a comment or a note that contains a step."""
    sign = pasted.REMARK.match(line.text)
    assert sign is not None
    starts = [line.start, *(line.start + found.end() for found in re.finditer(r"\n[ \t]*(?=\S)", line.text))]
    edits = tuple(Edit(Span(line.source, start, start), "# ") for start in starts)
    first = Span(line.source, line.start, line.start + len(line.text.split("\n", 1)[0]))
    if sign[0] == "(":
        what = f"line {line.line} is in parentheses, as a note is"
        return Mistake("remark", "E001", what, "not read", first, edits, "put `#` before it", False)
    what = f"a comment begins with `#`, got `{sign[0]}`"
    return Mistake("comment", "E001", what, "a comment?", first, edits, "put `#` before it", True)


def plural_help(kind: str, help_: str) -> str:
    """Return the help for several lines with the same mistake."""
    is_note = kind in ("prose", "words", "comment", "remark")
    return "put `#` before each" if is_note else f"{help_}, and likewise elsewhere"
