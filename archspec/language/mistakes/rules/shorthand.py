"""Small words in another form: arguments in capitals, ranges, repeats in words, claims that are misspelt.

In: nothing. Out: `RULES`, in the order in which they are tried.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from archspec.language.mistakes.rules.declared import KEYWORDS
from archspec.language.mistakes.rules.rule import Match, Rule, Words

_CLAIMS = ("memory", "params")
_NUMBER = r"(\d+(?:\.\d+)?)"


def _lower(match: Match, words: Words) -> str | None:
    """Return `s2` for `S2`, which is not a layer."""
    short = " ".join(re.findall(r"[a-z][\dx:]+", match[0].lower()))
    return short if match[0].lower() not in words.layers else None


def _claim(match: Match, _words: Words) -> str | None:
    near = get_close_matches(match[1], _CLAIMS, n=1, cutoff=0.7)
    return near[0] if near and near[0] != match[1] else None


def _times(match: Match, words: Words) -> str | None:
    count = match[1]
    return f"{count} x " if count not in KEYWORDS and words.layer(count) is None else None


RULES = (
    Rule(
        "wide colon",
        re.compile(r" *\uff1a *"),
        ": ",
        "`\uff1a` is a full-width colon (U+FF1A)",
        "`:`",
        "looks like another",
        "E002",
    ),
    Rule(
        "short",
        re.compile(r"(?:(?<=\d )|(?<=\d, ))(?:[SPGD]\d+(?:[x:]\d+)*)+(?![\w(])"),
        _lower,
        "arguments are in lower case: `{old}`",
        "`{new}`",
        "upper case",
    ),
    Rule(
        "range",
        re.compile(rf"(?<=DROPPATH ){_NUMBER} ?(?:\.{{2,3}}|->|[-:~]) ?{_NUMBER}(?![\w.])"),
        r"\1 to \2",
        "a range is written with `to`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "repeat",
        re.compile(r"^(?:repeat|loop|do) +(\w+)(?: *[x×]| +times)? *[:,]? *(?=[A-Z]{2}|[a-z_]\w*\()", re.ASCII),
        _times,
        "a repeat is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "repeat",
        re.compile(r"(?:^|(?<=-> ))(\d+) +times *[:,]? *(?=[A-Z]{2}|[a-z_]\w*\()"),
        r"\1 x ",
        "a repeat is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "claim",
        re.compile(r"(?<= )([a-z]{4,8})(?=: *[\d(])"),
        _claim,
        "unknown claim `{old}`",
        "did you mean `{new}`?",
        "unknown",
    ),
)
