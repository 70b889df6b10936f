"""The lines `cites`, `license` and `published` as others write them.

In: nothing. Out: `RULES`, in the order in which they are tried, before all others.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from archspec.language.mistakes.rules.rule import Match, Rule, Words

KEYWORDS = ("cites", "license", "published")
BEGINS = re.compile(rf"(?:{'|'.join(KEYWORDS)})\b(?!:)")
# labels that stand for a keyword
TITLES = {
    **dict.fromkeys(("net", "name", "model", "network", "title"), "net"),
    **{"license": "license", "licence": "license", "cites": "cites", "cite": "cites"},
}
NOUNS = {"net": "a title", "license": "a licence", "cites": "a citation"}
_OTHERS = {"licence": "license", "cite": "cites", "citation": "cites", "reports": "published", "results": "published"}
_FIGURE = r"(top|acc(?:uracy)?[15]?|params|parameters|macs|g?flops)"


def _keyword(match: Match, words: Words) -> str | None:
    word = match[1].lower()
    if words.layer(word) or match[1] in words.blocks:
        return None
    near = get_close_matches(word, KEYWORDS, n=1, cutoff=0.75)
    new = _OTHERS.get(word) or (near[0] if near else None)
    return f"{new} " if new else None


def _in_published(replacement: str) -> object:
    """Return what replaces a match on a line of published figures, and on no other."""

    def replaced(match: Match, _words: Words) -> str | None:
        return match.expand(replacement) if match.string.startswith("published ") else None

    return replaced


def _figures(pattern: str, replacement: str, message: str, help_: str = "`{new}`") -> Rule:
    return Rule("published", re.compile(pattern, re.IGNORECASE), _in_published(replacement), message, help_)  # type: ignore[arg-type]


RULES = (
    Rule("keyword", re.compile(r"^([A-Za-z]+)(?: *[:=] *| +)(?=\S)"), _keyword, "unknown keyword `{old}`", "`{new}`"),
    _figures(
        r"\b(?:top[-_@ ]*|acc[-_@ ]+)([15])(?: *[:=] *| +)(?=\d)",
        r"top\1=",
        "an accuracy is written `{new}`, got `{old}`",
    ),
    _figures(r"(?<=\d) *%", "", "an accuracy is a percentage without a sign", "drop `%`"),
    _figures(r"(?<=\d)[,_](?=\d{3}\b)", "", "a number with a separator", "drop `{old}`"),
    _figures(r"(?<=\d) +(?=[KMG]\b)", "", "a space inside a figure", "drop it"),
    _figures(rf"\b{_FIGURE}(?: *[:=] *| +)(?=\d)", r"\1=", "a figure is written `{new}`, got `{old}`"),
)
