"""What pages make of a line: HTML entities, LaTeX commands, and the shorthand of figures; and Python's definitions.

In: nothing. Out: `RULES`, in the order in which they are tried, before all others.
"""

from __future__ import annotations

import re

from archspec.language.mistakes.rules.declared import KEYWORDS
from archspec.language.mistakes.rules.rule import Match, Rule, Words

_ENTITIES = {"gt": ">", "lt": "<", "amp": "&", "quot": '"', "nbsp": " ", "rarr": "->", "times": "x"}
_COMMANDS = {
    **dict.fromkeys(("times", "cdot"), "x"),
    **dict.fromkeys(("rightarrow", "Rightarrow", "longrightarrow", "to", "mapsto"), "->"),
    **dict.fromkeys(("quad", "qquad", "hline", "item", "newline"), ""),
}
MOST_COPIES = 8  # of steps that are written out
_DIGITS = str.maketrans("lIOo", "1100")
_END = r" *(?:: *)?\{?$"


def _entity(match: Match, _words: Words) -> str:
    return _ENTITIES[match[1]]


def _command(match: Match, _words: Words) -> str | None:
    return _COMMANDS.get(match[1])


def _figure(match: Match, words: Words) -> str | None:
    """Return `CONV 64 7x7 s2 p3 floor` for `7x7 conv, 64, /2`: only strides change the sizes in figures."""
    layer = words.layer(match[2])
    if layer is None:
        return None
    count = f" {match[3]}" if match[3] else ""
    return f"{layer}{count} {match[1]}x{match[1]} s{match[4]} p{int(match[1]) // 2} floor"


def _digits(match: Match, _words: Words) -> str | None:
    """Return a number in whose place a scan has letters."""
    return match[0].translate(_DIGITS) if re.search(r"\d", match[0]) else None


def _copies(match: Match, _words: Words) -> str | None:
    steps, times = match[1].strip(), int(match[2])
    if "->" not in steps and "→" not in steps:
        return f"{times} x {steps}"
    return " -> ".join([steps] * times) if 1 < times <= MOST_COPIES else None


def _definition(match: Match, _words: Words) -> str:
    names = (re.sub(r" *: *\w+(?= *(?:=|$))", "", part).strip() for part in match[2].split(","))
    given = [name.replace(" ", "") for name in names if name not in ("", "self", "x", "input", "inputs")]
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", match[1]).lower()
    return f"block {name}({', '.join(given)})" if given else f"block {name}"


def _boolean(match: Match, _words: Words) -> str:
    return f" {match[2]}" if match[2] else " bias" if match[1].lower() in ("true", "1") else " nobias"


def _call(match: Match, words: Words) -> str | None:
    if match[1] not in words.blocks:
        return None
    given = re.sub(r"(?<=\w)[ ,]+(?=\w)", ", ", match[2].strip())
    return f"{match[1]}({given})"


def _power(match: Match, _words: Words) -> str | None:
    """Return a power as a number or a product; small ones only."""
    base, exponent = match[1], int(match[2][:3])
    if base.isdigit():
        return str(int(base) ** exponent) if len(base) < 5 and exponent < 10 else None
    return f"({'*'.join([base] * exponent)})" if 1 < exponent < 4 else None


def _labelled(match: Match, words: Words) -> str | None:
    """Return a label with its colon, before a layer."""
    is_name = match[1] not in (*KEYWORDS, *MERGES, "x") and match[1] not in words.blocks and not words.layer(match[1])
    return f"{match[1]}: " if is_name and words.layer(match[2]) else None


MERGES = ("add", "concat", "mul")
FLAGS = "SAME|FLOOR|CEIL|BIAS|NOBIAS|LINEAR"  # that layers take, in lower case
RULES = (
    Rule("power", re.compile(r"\b([A-Za-z_]\w*|\d+) *(?:\*\*|\^) *(\d+)\b"), _power, "there are no powers", "`{new}`"),
    Rule(
        "flag",
        re.compile(rf"(?<=\d )(?:{FLAGS})\b(?! *\d)"),
        lambda match, _words: match[0].lower(),
        "arguments are in lower case: `{old}`",
        "`{new}`",
    ),
    Rule(
        "label",
        re.compile(r"^([a-z_]\w*) +(?=([A-Z]{2,}\w*)\b)"),
        _labelled,
        "a label ends with `:`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "entity",
        re.compile(rf"&({'|'.join(_ENTITIES)});"),
        _entity,
        "`{old}` is HTML for `{new}`",
        "`{new}`",
    ),
    Rule("latex", re.compile(r" *\\\\$"), "", "`{old}` is LaTeX, not the notation", "drop `{old}`"),
    Rule("latex", re.compile(r"\\([A-Za-z]+) *"), _command, "`{old}` is LaTeX, not the notation", "`{new}`"),
    Rule("latex", re.compile(r"\\(?=[_%&#])|\$"), "", "`{old}` is LaTeX, not the notation", "drop `{old}`"),
    Rule("latex", re.compile(r"(?<=\]) *& *"), " ", "`{old}` is LaTeX, not the notation", "drop `{old}`"),
    Rule(
        "numbering",
        re.compile(
            r"^(?:\d{1,4} ?[:|] ?|[a-z]\) +|[ivx]{1,4}[.)] +|[\w/-]+\.(?:arch|txt|md):\d+: ?)"
            r"(?=\[\d|[A-Z]{2}|[a-z]\w*\()"
        ),
        "",
        "`{old}` numbers the line, and is not part of it",
        "drop `{old}`",
        "a number",
    ),
    Rule(
        "markup",
        re.compile(r"(?<![\w*])[*_](?=[A-Z]{2})|(?<=[\w)])[*_](?=\s|$)"),
        "",
        "unexpected markup: `{old}`",
        "drop `{old}`",
    ),
    Rule(
        "repeat",
        re.compile(r"^(\d+)[x×](?=[A-Z]{2}|[a-z]\w*\()"),
        r"\1 x ",
        "a repeat is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule("prompt", re.compile(r"^(?:In|Out) ?\[\d*\]: *"), "", "`{old}` is the prompt of a notebook", "drop `{old}`"),
    Rule(
        "bold label",
        re.compile(r"^\*\*([^*]+?):?\*\*:? *(?=[\[(\dA-Z])"),
        lambda match, _words: "" if ":" in match[0] else None,
        "unexpected title: `{old}`",
        "drop `{old}`",
        "not a label",
    ),
    Rule("arrow", re.compile(r" +à +"), " -> ", "`{old}` is not an arrow", "`->`", code="E002"),
    Rule("arrow", re.compile(r" *-+\" *(?=[A-Z])"), " -> ", "`{old}` is not an arrow", "`->`", code="E002"),
    Rule(
        "arrow",
        re.compile(r"(?<=[\w)\]]) +-{1,2} +(?=[A-Z]{2})"),
        " -> ",
        "`{old}` is not an arrow",
        "`->`",
        code="E002",
    ),
    Rule(
        "digits",
        re.compile(r"\b(?=[lIO]*\d)[\dlIO]*[lIO][\dlIO]*\b"),
        _digits,
        "`{old}` has letters for digits",
        "`{new}`",
        "not a number",
    ),
    Rule("size", re.compile(r"\b(\d+) x(\d+)\b"), r"\1x\2", "a size is written `{new}`, got `{old}`", "`{new}`"),
    Rule("stride", re.compile(r"(?<=\dx\d)/(\d)\b"), r" s\1", "a stride is written `{new}`, got `{old}`", "`{new}`"),
    Rule(
        "volume",
        re.compile(r"(?<=[\w)]) *: *[\[(]?(\d+[x×]\d+[x×]\d+)[\])]?$"),
        lambda match, _words: f" -> [{match[1]}]" if re.match(r"[A-Z]{2}.* \d", match.string) else None,
        "a volume is written in brackets, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "figure",
        re.compile(r"^(\d+)x\1 +([A-Za-z]+),? *(?:(\d+),?)? */ ?(\d)$"),
        _figure,
        "the layer comes first, and a stride is written `s2`: `{old}`",
        "`{new}`",
        "a line of a figure",
        is_safe=False,
    ),
    Rule(
        "copies",
        re.compile(r"^(.*[\w)]) +\( *[x×] *(\d{1,2})(?: +times)? *\)$|^(.*[\w)]) +\( *(\d{1,2}) *(?:[x×]|times) *\)$"),
        lambda match, words: _copies(match, words) if match[2] else None,
        "a repeat is written before its step: `{old}`",
        "`{new}`",
        is_safe=False,
    ),
    Rule(
        "definition",
        re.compile(r"^(?:def|function|func|fn|fun) +(\w+) *\(([^()]*)\)(?: *-> *\w+)?" + _END),
        _definition,
        "unknown keyword `{word}`",
        "`{new}`",
        "not a definition",
    ),
    Rule(
        "elif",
        re.compile(r"^(?:elif|elseif|elsif|elseif) +(.*?)" + _END),
        r"else if \1",
        "unknown keyword `{word}`",
        "`{new}`",
        "unknown",
    ),
    Rule(
        "boolean",
        re.compile(r"(?:, *| )(?:(?:use_)?bias *= *(true|false|0|1)|(causal|relpos|affine) *= *true)\b", re.IGNORECASE),
        _boolean,
        "a flag has no value, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "boolean",
        re.compile(r"(?:, *| )\w+ *= *(?:True|False|None)\b"),
        "",
        "`{old}` is an argument of Python, not of a layer",
        "drop `{old}`",
        "not an argument",
        is_safe=False,
    ),
    Rule(
        "call",
        re.compile(r"(?:(?<=^)|(?<=-> )|(?<=\bx ))([a-z_]\w*) +((?:\w+ *= *)?[\d.]+(?:[ ,]+(?:\w+ *= *)?[\d.]+)*)$"),
        _call,
        "the arguments of a block are in parentheses: `{old}`",
        "`{new}`",
        "a call",
    ),
    Rule(
        "repeat",
        re.compile(r"(?:(?<=^)|(?<=-> ))(\w+(?: *[-+*/] *\w+)+) +[x×] +(?=[A-Za-z])"),
        r"(\1) x ",
        "a computed number of repeats is in parentheses, got `{old}`",
        "`{new}`",
    ),
    Rule("merge", re.compile(r"(?:(?<=^)|(?<=-> ))\+$"), "add", "unknown merge `{old}`", "`{new}`", "unknown", "E102"),
    Rule(
        "title",
        re.compile(r"^net *(?:=|:=) *[\"']?([A-Z][\w .-]*?)[\"']?$"),
        r"net \1",
        "a title has no `=`: `{old}`",
        "`{new}`",
        "a title",
    ),
)
