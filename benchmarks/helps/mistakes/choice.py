"""Places in a spec where a mistake can be made.

In: a text, a pattern, a source of chance. Out: one of the places that match, comments and titles apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Place = re.Match[str]
Mistake = Callable[[str, Random], str | None]  # the text with the mistake; None where it cannot be made

LAYER = (
    r"(?<![\w@.=-])(?!INPUT\b|TOTAL\b)[A-Z][A-Z0-9]*[A-Z](?![\w.=])"  # a layer, but for those with a number glued on
)
NUMBER = r"(?<![\w.*/+-])\d+(?![\w.%*/+])"
NAME = r"[a-z_][a-z0-9_]*"
CALL = rf"(?<!block )(?<![\w@])(?!(?:if|round8|ceil|floor|min|max|round|and|or|not|else)\b){NAME}\("
STEP = rf"{LAYER}(?: [^->|\n#]*[^->|\n# ])?"  # a layer with its arguments
_SET_ASIDE = re.compile(r"#[^\n]*|^net [^\n]*|\([a-z ~*0-9!]{12,}\)", re.MULTILINE)


def code_of(text: str) -> str:
    """Return a spec with blanks in place of comments, titles and remarks; offsets stay."""
    return _SET_ASIDE.sub(lambda found: " " * len(found[0]), text)


def pick(text: str, pattern: str, chance: Random) -> Place | None:
    """Return one of the places that match, if there are any."""
    found = list(re.finditer(pattern, code_of(text), re.MULTILINE))
    return chance.choice(found) if found else None


def put(text: str, at: Place, new: str, group: int | str = 0) -> str:
    """Return the text with something else at a place."""
    return text[: at.start(group)] + new + text[at.end(group) :]


def swap(pattern: str, *options: str) -> Mistake:
    """Return the mistake that puts one of the options in place of a match; `\\1` and others are its groups."""

    def make(text: str, chance: Random) -> str | None:
        at = pick(text, pattern, chance)
        return None if at is None else put(text, at, at.expand(chance.choice(options)))

    return make


def typo(word: str, chance: Random) -> str:
    """Return a word with a letter doubled, dropped, replaced, or two swapped."""
    places = [place for place, letter in enumerate(word) if letter.isalpha()]
    if len(places) < 2:
        return word
    at = chance.choice(places)
    kind = chance.randrange(4)
    if kind == 0:
        return word[:at] + word[at] + word[at:]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        letter = chance.choice(NEAR.get(word[at].lower(), "q"))
        return word[:at] + (letter.upper() if word[at].isupper() else letter) + word[at + 1 :]
    at = min(at, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def typo_at(pattern: str) -> Mistake:
    """Return the mistake that misspells a match (its first group, if it has one)."""

    def make(text: str, chance: Random) -> str | None:
        at = pick(text, pattern, chance)
        if at is None:
            return None
        group = 1 if at.re.groups else 0
        return put(text, at, typo(at[group], chance), group)

    return make


def any_of(*mistakes: Mistake) -> Mistake:
    """Return the mistake that is one of several, whichever can be made."""

    def make(text: str, chance: Random) -> str | None:
        for mistake in chance.sample(mistakes, len(mistakes)):
            changed = mistake(text, chance)
            if changed is not None:
                return changed
        return None

    return make


NEAR = {
    **{"a": "sq", "b": "vn", "c": "vx", "d": "fs", "e": "rw", "f": "gd", "g": "hf", "h": "jg", "i": "uo", "j": "kh"},
    **{"k": "lj", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "te", "s": "ad", "t": "ry"},
    **{"u": "iy", "v": "cb", "w": "eq", "x": "zc", "y": "ut", "z": "x"},
}
