"""Brackets and parentheses: volumes as other tools write them, and signs without their partners.

In: nothing. Out: `RULES`, in the order in which they are tried; `balanced`, the ways to close what is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archspec.diagnostics.findings import plural
from archspec.language.mistakes.reading import Reading
from archspec.language.mistakes.rules.rule import Match, Mistake, Rule, Words

CLOSERS = {"(": ")", "[": "]"}
MOST_PLACES = 12  # at which a closing bracket is tried
_SIZES = r"(\d+(?:(?: *[,;xX×*] *| +)\d+){0,3})"


def _volume(text: str) -> str:
    return "[" + "x".join(re.findall(r"\d+", text)) + "]"


def _sizes(match: Match, _words: Words) -> str | None:
    if match[1].isdigit() and match[0].startswith("["):
        return None
    sizes = re.findall(r"\d+", match[1])
    if len(sizes) == 3 and sizes[0] in ("1", "3") and sizes[1] == sizes[2] and "INPUT" in match.string:
        sizes = [*sizes[1:], sizes[0]]  # channels first
    return f"[{'x'.join(sizes)}]" if len(sizes) < 4 else None


def _batched(match: Match, _words: Words) -> str:
    return _volume(match[1])


def _input(match: Match, _words: Words) -> str:
    return f"{_volume(match[1])} INPUT"


def _named_input(match: Match, _words: Words) -> str:
    return f"{_volume(match['sizes'])} {match['name'] or match['before']}: INPUT"


def _image(match: Match, _words: Words) -> str:
    return f"[{match[1]}x{match[2]}x{3 if match[3].lower() in ('rgb', 'color', 'colour') else 1}] INPUT"


def _inner(match: Match, _words: Words) -> str:
    return f"[{' x '.join(part.strip() for part in match[1].split(','))}]"


RULES = (
    Rule(
        "volume",
        re.compile(r"^input *[:=]? *\(? *(\d+) *[x×] *(\d+) *(RGB|colou?r|gr[ae]y)[^)]*\)?$", re.IGNORECASE),
        _image,
        "a volume is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"^\(? *(\d+(?: *[x×] *\d+){2}) *\)?(?= *(?:->|→|$))"),
        _input,
        "a volume is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"[\[(](?:None|N|B|\?|-1|batch|batch_size) *[,x×] *(\d+(?: *[,x×] *\d+){0,2})[\])]"),
        _batched,
        "a volume has no batch: `{old}`",
        "`{new}`",
        "not a size",
    ),
    Rule(
        "volume",
        re.compile(r"^input(?:_?(?:shape|size|layer))? *[:=]? *[\[(]? *" + _SIZES + r" *[\])]?$", re.I),
        _input,
        "a volume is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(
            r"^input(?: (?:image|size|shape|layer))? *[:=] *\[?(\d+(?:[x×]\d+){2})\]? +"
            r"(?:(?:RGB|colou?r|gr[ae]y(?:scale)?|input|images?|pixels|photos?) *)+$",
            re.I,
        ),
        _input,
        "a volume is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(
            r"^(?:(?P<before>[a-z]\w*) *: *input|input +(?P<name>[a-z]\w*)) *[:=]? *"
            r"[\[(]? *(?P<sizes>" + _SIZES + r") *[\])]?$",
            re.I,
        ),
        _named_input,
        "the volume of an input is written first, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"(?:(?<=^)|(?<=: ))[({]? *" + _SIZES + r" *[)}]? +input$", re.I),
        _input,
        "a volume is written in brackets, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"\[ *" + _SIZES + r" *\]"),
        _sizes,
        "the sizes of a volume are joined by `x`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"^\( *" + _SIZES + r" *\)(?= *[A-Z])"),
        _sizes,
        "a volume is written in brackets, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"(?<=-> )\(? *(\d+(?: *[x×,] *\d+){2}) *\)?(?= *(?:->|$))"),
        _sizes,
        "a volume is written in brackets, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "volume",
        re.compile(r"\[([^\[\],]+(?:,[^\[\],]+){1,2})\]"),
        _inner,
        "the sizes of a volume are joined by `x`, got `{old}`",
        "`{new}`",
    ),
)


def balanced(reading: Reading) -> Iterator[tuple[Reading, Mistake]]:
    """Yield the ways to close what is open, and to drop or open what closes nothing, the likeliest first."""
    found = unbalanced(reading.text)
    if found is None:
        return
    at, sign = found
    if sign in CLOSERS:
        closer = CLOSERS[sign]
        ends = [match.end() for match in re.finditer(r"\S+", reading.text) if match.end() > at + 1]
        inside = [at + 1 + match.end() for match in re.finditer(r"\w+", reading.text[at + 1 :])]
        empty = [at + 1] if sign == "(" and re.search(r"\w$", reading.text[:at]) else []  # a call without arguments
        for end in dict.fromkeys([*[*ends, *inside][: 2 * MOST_PLACES], *empty]):
            yield from _inserted(reading, end, closer, (at, f"unclosed `{sign}`", "opened here"))
        yield from _dropped(reading, at, f"unclosed `{sign}`", "opened here")
        return
    opener = next(opener for opener, closer in CLOSERS.items() if closer == sign)
    label = f"no `{opener}` before it"
    yield from _dropped(reading, at, f"unmatched `{sign}`", label)
    if sign == "]" and re.match(r"\d", reading.text):
        yield from _inserted(reading, 0, opener, (at, f"unmatched `{sign}`", label))


def _dropped(reading: Reading, at: int, message: str, label: str) -> Iterator[tuple[Reading, Mistake]]:
    changed = reading.changed(at, at + 1, "")
    if changed is not None:
        edit, where = reading.edit(at, at + 1, ""), reading.span(at, at + 1)
        help_ = f"drop `{reading.text[at]}`"
        yield changed, Mistake("unmatched", "E012", message, label, where, (edit,), help_, False)


def _inserted(reading: Reading, place: int, sign: str, said: tuple[int, str, str]) -> Iterator[tuple[Reading, Mistake]]:
    changed = reading.changed(place, place, sign)
    at, message, label = said
    if changed is None:
        return
    edit = reading.edit(place, place, sign)
    text = changed.text if len(changed.text) < 60 else f"add `{sign}` after {plural(place, 'character')}"
    shown = f"`{text}`" if text is changed.text else text
    yield changed, Mistake("unclosed", "E012", message, label, reading.span(at, at + 1), (edit,), shown, sign in "[]")


def unbalanced(text: str) -> tuple[int, str] | None:
    """Return the first bracket or parenthesis without a partner, and where it is."""
    stack: list[int] = []
    for place, sign in enumerate(text):
        if sign in CLOSERS:
            stack.append(place)
        elif sign in CLOSERS.values():
            if not stack or CLOSERS[text[stack[-1]]] != sign:
                return place, sign
            stack.pop()
    return (stack[-1], text[stack[-1]]) if stack else None
