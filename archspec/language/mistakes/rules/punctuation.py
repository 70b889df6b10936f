"""Signs of other languages: arrows, operators, ends of lines, quotes, and ways to write numbers and sizes.

In: nothing. Out: `RULES`, in the order in which they are tried.
"""

from __future__ import annotations

import re

from archspec.language.mistakes.rules.rule import Match, Rule, Words

_NO_END = "a line ends without `{old}`"
_CONDITION = r"(?:(?<=^if )|(?<=^else if )|(?<=^elif ))"


def _size(match: Match, _words: Words) -> str | None:
    if match.start() == 0:
        return None  # a volume
    return f"{match[1]}x{match[2]}"


def _fraction(match: Match, _words: Words) -> str | None:
    number = float(match[1]) / 100
    return f"{number:g}" if number < 1 else None


_OPERATORS = {
    "&&": "and",
    "||": "or",
    "&": "and",
    "<>": "!=",
    "===": "==",
    "!==": "!=",
    "=<": "<=",
    "=>": ">=",
    "is": "==",
    "is not": "!=",
}


def _operator(match: Match, _words: Words) -> str | None:
    return f" {_OPERATORS[match[1]]} "


def _in_a_condition(text: str) -> bool:
    return text.startswith(("if ", "else if ", "elif "))


def _compared(match: Match, _words: Words) -> str | None:
    return "==" if _in_a_condition(match.string) else None


def _joined_operator(match: Match, words: Words) -> str | None:
    return _operator(match, words) if _in_a_condition(match.string) else None


def _equals(match: Match, _words: Words) -> str:
    return " = " if match.string.startswith(("let ", "param ")) else "="


def _negation(match: Match, _words: Words) -> str | None:
    return "not " if _in_a_condition(match.string) else None


def _note(match: Match, _words: Words) -> str:
    """Return the arguments in a note; nothing for other notes."""
    return f" {match[1]}" if re.search(r"stride|pad|[sp]\d|same|groups|dilation", match[1]) else ""


def _arrow(match: Match, _words: Words) -> str | None:
    return None if _in_a_condition(match.string) else " -> "


FIRST = (
    Rule(
        "size",
        re.compile(r"(?<!\w)[(\[{] *(\d+) *(?:[,;xX×*]|by) *(\d+) *[)\]}](?! *INPUT)"),
        _size,
        "a size is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "size",
        re.compile(r"\b(\d+) *(?:X|by|\*|×) *(\d+)\b"),
        _size,
        "a size is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "markup",
        re.compile(r"</?[a-z][^<>]*>|(?<![\w)])\*\*(?=\S)|(?<=\S)\*\*(?![\w(])|__(?=[A-Z])|(?<=\w)__"),
        "",
        "unexpected markup: `{old}`",
        "drop `{old}`",
    ),
    Rule(
        "markup",
        re.compile(r"\\[a-z]+\{([^{}]*)\}"),
        r"\1",
        "unexpected markup: `{old}`",
        "`{new}`",
    ),
    Rule(
        "omitted",
        re.compile(r"\s*(?:->|→|,)?\s*(?:\.{3,}|\betc\b\.?)$"),
        "",
        "`{old}` leaves something out: a spec has all layers",
        "drop `{old}`",
        "what is here?",
        is_safe=False,
    ),
)
RULES = (
    Rule(
        "end",
        re.compile(r"(?<=[\w)\]>\"'])\s*(?:[;,.!?\\]|\{)+\s*$"),
        "",
        _NO_END,
        "end the line without `{old}`: blocks are indented, without braces",
    ),
    Rule(
        "end",
        re.compile(r"^[\])}]*[})][;,)\]]*$|^\{$"),
        "",
        "unexpected `{old}`",
        "drop `{old}`: blocks are indented, without braces",
    ),
    Rule(
        "colon",
        re.compile(r"(?:(?<=\))|(?<=\w)) *:$|(?<=\S) +then$"),
        "",
        "a line ends without `{old}`",
        "end the line without `{old}`",
    ),
    Rule(
        "arrow at the end",
        re.compile(r" *(?:->|→|=+>|-{2,}>)$"),
        "",
        "nothing after `{old}`",
        "drop it: the next line continues from this one anyway",
        "leads nowhere",
        "E006",
    ),
    Rule(
        "arrow",
        re.compile(r" *(?:={1,3}>+|-{2,}>+|~+>|- >|\|>|>>+|→>|<-+>) *"),
        _arrow,
        "`{old}` is not an arrow",
        "`->`",
        code="E002",
    ),
    Rule("arrow", re.compile(r" +> +(?=[A-Za-z])"), _arrow, "`{old}` is not an arrow", "`->`", code="E002"),
    Rule(
        "arrow twice",
        re.compile(r"(?:->|→)(?: *(?:->|→))+"),
        "->",
        "nothing between two arrows",
        "`->` once",
        "two arrows",
        "E006",
    ),
    Rule(
        "arrow at the beginning",
        re.compile(r"^(?:->|→) *"),
        "",
        "nothing before `->`",
        "drop it: the line continues from the one above anyway",
        "comes from nowhere",
        "E006",
    ),
    Rule(
        "quotes",
        re.compile(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`"),
        lambda match, _words: match[1] or match[2] or match[3],
        "unexpected quotes: `{old}`",
        "`{new}`: names and numbers are written without quotes",
    ),
    Rule(
        "quotes",
        re.compile(r"[\"'`]+"),
        "",
        "unexpected `{old}`",
        "names and numbers are written without quotes",
    ),
    Rule(
        "activation",
        re.compile(r",? *\b(?:activation|act|nonlinearity) *[:=] *(\w+)"),
        lambda match, words: f" -> {words.layer(match[1])}" if words.layer(match[1]) else None,
        "an activation is a step: `{old}`",
        "`{new}`",
        "not an argument",
    ),
    Rule("decimal", re.compile(r"(?<![\w.])\.(?=\d)"), "0.", "a number begins with a digit", "`0.`", "no digit"),
    Rule(
        "end",
        re.compile(r"^\} *(?=else\b)"),
        "",
        "unexpected `{old}`",
        "drop `{old}`: blocks are indented, without braces",
    ),
    Rule(
        "percent", re.compile(r"\b(\d+(?:\.\d+)?) ?%"), _fraction, "`{old}` is not a number", "`{new}`", "not a number"
    ),
    Rule(
        "per",
        re.compile(r"\b(\d+) ?@ ?(\d+[x×]\d+)"),
        r"\1 \2",
        "unexpected `@` in `{old}`",
        "`{new}`",
    ),
    Rule(
        "stride",
        re.compile(r"(?:, *|(?<= ))/ ?(\d)\b"),
        lambda match, _words: f" s{match[1]}"[match[0][0] == "/" :],  # after a space no second one
        "a stride is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "named with a colon",
        re.compile(
            r"\b(stride|strides|pad|padding|kernel|kernel_size|filters|groups|dilation|heads|p|eps|momentum) *: *(?=\w)"
        ),
        r"\1=",
        "an argument is named with `=`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "compare", re.compile(r"(?<![=!<>])=(?![=<>])"), _compared, "`=` does not compare", "`==`", "compare with `==`"
    ),
    Rule(
        "operator",
        re.compile(r" *(&&|\|\||&|<>|!==|===|=<|=>|(?<= )is not(?= )|(?<= )is(?= )) *"),
        _joined_operator,
        "unexpected `{old}`",
        "`{new}`",
    ),
    Rule("operator", re.compile(r"!(?!=) *"), _negation, "unexpected `!`", "`not`"),
    Rule("equals", re.compile(r" *(?::=|={2,3}) *"), _equals, "`{old}` does not set a value", "`=`", "set with `=`"),
    Rule(
        "note",
        re.compile(r" +\(([^()]*)\)$"),
        _note,
        "a note that cannot be read: `{old}`",
        "`{new}`",
        "a note",
        is_safe=False,
    ),
    Rule("power", re.compile(r"\b(\w+) ?(?:\*\*|\^) ?2\b"), r"\1*\1", "there is no operator for powers", "`{new}`"),
)
