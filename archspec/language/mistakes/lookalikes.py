"""Characters that look like others: what they stand for, and what they are called.

In: a line with characters beyond ASCII. Out: the line in the notation's characters. Spaces, arrows, dashes, ligatures
and wide forms have one meaning and are accepted; a letter of another alphabet is named, as it makes another word.
"""

from __future__ import annotations

import re
import unicodedata

from archspec.language.mistakes.reading import Reading
from archspec.language.mistakes.rules.rule import Mistake

_SILENT = (
    dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0e\ufe0f\u202a\u202c", "")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u2500", "-")
    | dict.fromkeys("⇒⟶⟹➔➜➝➞➙➛➡⇨⇾↦⭢🡒🠖⟼►▶→", "→")
    | dict.fromkeys("✕✖⨯⨉╳✗✘", "×")
    | dict.fromkeys("·⋅∙∗•", "*")
    | dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‘’‚‛′", "'")
    | {"≤": "<=", "≥": ">=", "≠": "!=", "∧": " and ", "∨": " or ", "¬": " not ", "∕": "/", "⁄": "/", "÷": "/"}
    | {"…": "...", "≈": "≈", "½": "1/2", "∣": "|", "│": "|", "┃": "|", "②": "2"}
)
_SPACES = re.compile(r" {2,}")
# letters of other alphabets that look like Latin ones
_LETTERS = dict(zip("АВСЕНКМОРТХУІЅЈаеорсхуіѕј", "ABCEHKMOPTXYISJaeopcxyisj", strict=True)) | dict(
    zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοχν", "ABEZHIKMNOPTYXoxv", strict=True)
)


def meant(reading: Reading) -> tuple[Reading, list[tuple[int, int, str]]]:
    """Return a reading in the notation's characters, and the letters that are still to be replaced."""
    at = len(reading.text) - 1
    while at >= 0:
        character = reading.text[at]
        if not character.isascii() or character in "\t\v\f":
            plain = _plain(character)
            if plain is not None and plain != character:
                reading = reading.silently(at, at + 1, plain)
        at -= 1
    text = reading.text.replace("-→", " →")
    if text != reading.text:
        reading = _joined(reading)
    for run in reversed(list(_SPACES.finditer(reading.text))):  # patterns with spaces in them take long on long runs
        reading = reading.silently(run.start() + 1, run.end(), "")
    letters = [
        (place, place + 1, _LETTERS[character]) for place, character in enumerate(reading.text) if character in _LETTERS
    ]
    return reading, letters


def _joined(reading: Reading) -> Reading:
    """Return a reading in which an arrow has no shaft before it."""
    while (at := reading.text.find("-→")) >= 0:
        reading = reading.silently(at, at + 1, "")
    return reading


def _plain(character: str) -> str | None:
    if character in _SILENT:
        return _SILENT[character]
    if character.isspace() or unicodedata.category(character) == "Zs":
        return " "
    if character in "×\uff1a" or character in _LETTERS:
        return None
    plain = unicodedata.normalize("NFKC", character)  # ligatures, wide forms, digits in circles
    return plain if plain.isascii() and len(plain) < 5 else None


def named(character: str) -> str:
    """Return what a character is, for a message."""
    name = unicodedata.name(character, "").title()
    for long, short in (("Cyrillic Small Letter ", "Cyrillic "), ("Cyrillic Capital Letter ", "Cyrillic ")):
        name = name.replace(long, short)
    name = name.replace("Greek Small Letter ", "Greek ").replace("Greek Capital Letter ", "Greek ")
    return f"{name} (U+{ord(character):04X})" if name else f"U+{ord(character):04X}"


def latin(reading: Reading, letters: list[tuple[int, int, str]]) -> tuple[Reading, Mistake]:
    """Return a reading with Latin letters for those that look like them."""
    start, end, letter = letters[0]
    character = reading.text[start]
    at = reading.span(start, end)
    edits = tuple(reading.edit(*place) for place in letters)
    for place in letters:
        reading = reading.changed(*place) or reading
    message = f"`{character}` is {named(character)}, not the letter `{letter}`"
    return reading, Mistake("letters", "E002", message, "looks like another", at, edits, f"`{letter}`", True)
