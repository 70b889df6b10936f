"""Blocks and shared blocks, lists and weights as other notations write them.

In: nothing. Out: `RULES`, in the order in which they are tried, before those of declarations.
"""

from __future__ import annotations

import re

from archspec.language.mistakes.rules.rule import Match, Rule, Words


def _parameter(match: Match, _words: Words) -> str | None:
    """Return the last parameter of a block as a list."""
    return f"@{match[1] or match[2] or match[3]}..." if match.string.startswith("block") else None


def _lower_case(match: Match, words: Words) -> str | None:
    """Return the name of a block that is written in another case."""
    name = match[1].lower()
    return name if match[1] not in words.blocks and name in words.blocks else None


RULES = (
    Rule("block", re.compile(r"^(\w+)(?=\()"), _lower_case, "unknown block `{old}`", "`{new}`", "in another case"),
    Rule(
        "shared",
        re.compile(r"^(?:(?:shared|same|siamese) +block|block +(?:shared|siamese)) +([a-z]\w*(?: *\(.*\))?)$"),
        r"block \1 shared",
        "`shared` follows the name and the parameters of a block",
        "`{new}`",
    ),
    Rule(
        "shared call",
        re.compile(r"^(?:shared|same|siamese) +(?=[a-z]\w*\()"),
        "",
        "a block is `shared`, not one of its calls: `block name shared`",
        "`{line}`, with `shared` at the end of the block's line",
        is_safe=False,
    ),
    Rule(
        "list parameter",
        re.compile(r"(?<=[(, ])(?:\*@?([a-z_]\w*)|(?:\.{3} *@|@\.{3})([a-z_]\w*)|@([a-z_]\w*) +\.{3})(?= *\))"),
        _parameter,
        "a list of volumes is written `@name...`",
        "`{new}`",
    ),
    Rule(
        "list",
        re.compile(r"(?<!\S)(@[a-z_]\w*) *\.{3}(?= *(?:->|→|,|\)|$))"),
        lambda match, _words: None if match.string.startswith("block") else match[1],
        "the volumes of a list are used by its name alone",
        "`{new}`",
    ),
    Rule(
        "tied weights",
        re.compile(r"\b(weights?|shared with|tied to|tie)(?: *: *| +)(?:of +|from +|with +)?(?=@[a-z_])"),
        "weights=",
        "the weights of another layer are given by `weights=` and its label",
        "`{line}`",
    ),
)
