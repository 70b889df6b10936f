"""Declarations as other languages write them: keywords, names, and the signs after them.

In: nothing. Out: `RULES`, in the order in which they are tried, before those of steps.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from archspec.diagnostics.findings import Edit, Help, Label
from archspec.diagnostics.source import Source, Span
from archspec.language.layout import Unread
from archspec.language.mistakes.rules.rule import Match, Rule, Words

KEYWORDS = ("net", "use", "param", "variant", "block", "let", "if", "else", "after", "init", "aux", "train")
_FOREIGN = {
    **dict.fromkeys(("def", "function", "func", "fn", "fun", "macro", "module", "proc", "sub", "define"), "block"),
    **dict.fromkeys(("const", "var", "set", "local", "val", "auto", "int", "float"), "let"),
    **dict.fromkeys(("elif", "elseif", "elsif"), "else if"),
    **dict.fromkeys(("include", "import", "load", "using"), "use"),
    **dict.fromkeys(("model", "network", "title", "name"), "net"),
    **dict.fromkeys(("parameter", "hyperparameter", "arg", "argument"), "param"),
    **dict.fromkeys(("training", "recipe"), "train"),
}

# lines that begin with a keyword, and are neither prose nor layers
_CAPITALS = re.compile(
    r"^[ \t]*(?:(?P<a>N(?:et|ET)) +[A-Z][\w .-]*|(?P<b>U(?:se|SE)) +\w+ *:.*|(?P<c>P(?:aram|ARAM)|L(?:et|ET)) +\w+ *=.*"
    r"|(?P<d>V(?:ariant|ARIANT)) +\w+ *:.*|(?P<e>B(?:lock|LOCK)) +[a-z_]\w* *(?:\(.*)?|(?P<f>I[fF]) .*[=<>].*"
    r"|(?P<g>E(?:lse|LSE))(?: +if .*)?|(?P<h>A(?:fter|FTER)) +[A-Z].*:.*|(?P<i>T(?:rain|RAIN)))[ \t]*:?[ \t]*(?:#.*)?$",
    re.MULTILINE,
)


def _keyword(match: Match, words: Words) -> str | None:
    word = match[1]
    if word in words.blocks or word in KEYWORDS:
        return None
    if word.lower() in _FOREIGN or word.lower() in KEYWORDS:
        return _FOREIGN.get(word.lower(), word.lower())
    near = get_close_matches(word.lower(), KEYWORDS, n=1, cutoff=0.7)
    return near[0] if near and words.layer(word) is None else None


def _block_name(match: Match, words: Words) -> str | None:
    """Return the name of a block as the notation writes it."""
    name = match[1]
    if name not in words.blocks:
        return None
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()
    return snake if snake != name else None


def _parameters(match: Match, _words: Words) -> str:
    names = re.findall(r"[@a-z_][\w=.]*", match[2])
    return f"block {match[1]}({', '.join(names)})"


def _layers(match: Match, words: Words) -> str | None:
    names = [words.layer(name) for name in re.findall(r"[A-Za-z]\w*", match[1]) if name not in ("each", "every", "all")]
    return f"after {' '.join(name for name in names if name)}: " if names and all(names) else None


def _names(match: Match, _words: Words) -> str:
    return f"{match[1]} " + ", ".join(re.findall(r"\w+", match[2]))


def _call(match: Match, words: Words) -> str | None:
    """Return the call of a block whose arguments are not in parentheses."""
    if match[1] not in words.blocks:
        return None
    return f"{match[1]}(" + ", ".join(re.split("[ ,]+", match[2].strip())) + ")"


def capitals(source: Source) -> Unread | None:
    """Return the finding for keywords that begin with a capital."""
    found = list(_CAPITALS.finditer(source.text))
    words = [Span(source, *one.span(one.lastgroup or 0)) for one in found]
    if not words or (len(words) == 1 and words[0].text.lower() in ("net", "else", "train")):
        return None
    edits = (Edit(word, word.text.lower()) for word in words)
    others = tuple(Label(word, "here too") for word in words[1:3])
    first = words[0].text
    more = ", and likewise elsewhere" if len(words) > 1 else ""
    help_ = Help(f"`{first.lower()}`{more}", *edits, is_safe=True)
    return Unread(
        "E001", f"keywords are in lower case: `{first}`", words[0], "upper case", others=others, helps=(help_,)
    )


def _bare(match: Match, _words: Words) -> str:
    return match[1] or match[2]


def _separated(match: Match, words: Words) -> str | None:
    """Return a call whose arguments lack commas."""
    if match[1] not in words.blocks:
        return None
    return f"{match[1]}(" + re.sub(r"(\w) +(?=[\w@])", r"\1, ", match[2]) + ")"


BLOCK_NAME = Rule(
    "block name",
    re.compile(r"\b([A-Za-z]\w*(?:-\w+)*)(?= *\(|$)"),
    _block_name,
    "the name of a block is in lower case, without `-`: `{old}`",
    "`{new}`",
    "not a name",
)
RULES = (
    Rule(
        "result",
        re.compile(r"^return\b(?: +\w+$)? *"),
        "",
        "a block has no `return`: its last line is its result",
        "drop `{old}`",
        "not a step",
    ),
    BLOCK_NAME,
    Rule(
        "type",
        re.compile(r"\b(?:int|float|bool|str|number) +(?=[a-z])|(?<=\w) *: *(?:int|float|bool|str)\b"),
        "",
        "a parameter has no type: `{old}`",
        "drop `{old}`",
        "not a name",
    ),
    Rule(
        "import",
        re.compile(r"^(?:use|import) +(\w+(?: *, *\w+)*) +from +(\w+)$"),
        r"use \2: \1",
        "the file comes first: `{old}`",
        "`{new}`",
    ),
    Rule("file", re.compile(r"^(use +\w+)\.arch\b"), r"\1", "a file is named without `.arch`", "`{new}`"),
    Rule("comma", re.compile(r" *, *(?=\))"), "", "a comma before `)`", "drop `,`"),
    Rule("name", re.compile(r"\$\{?(\w+)\}?|\{(\w+)\}"), _bare, "a name is written as it is: `{old}`", "`{new}`"),
    Rule(
        "comma",
        re.compile(r"\b([a-z_]\w*)\(([\w@.]+(?: *= *|,? +)[\w@., =]*)\)"),
        _separated,
        "arguments are separated by commas: `{old}`",
        "`{new}`",
    ),
    Rule(
        "import",
        re.compile(r"^(?:from|use|import) +([a-z]\w*)(?: +(?:import|use) +|\.|::)(?=[a-z])"),
        r"use \1: ",
        "blocks are imported with `use`: `{old}`",
        "`{new}`",
    ),
    Rule(
        "keyword",
        re.compile(r"^([A-Za-z]+)\b(?=[ (]| *:?$)"),
        _keyword,
        "unknown keyword `{old}`",
        "`{new}`",
        "unknown",
    ),
    Rule(
        "block",
        re.compile(r"^block +(\w+) +([a-z@]\w*(?:[ ,]+[a-z@][\w=.]*)*)$"),
        _parameters,
        "the parameters of a block are in parentheses",
        "`{new}`",
    ),
    Rule(
        "value",
        re.compile(r"^(param|let) +(\w+)(?: *:|) +(?=[\w(])"),
        r"\1 \2 = ",
        "missing `=` in `{old}`",
        "`{new}`",
        "no `=`",
    ),
    Rule(
        "value",
        re.compile(r"^([a-z_]\w*) *=(?!=) *(?=[\d(]|\w+ *[-+*/%]|(?:min|max|ceil|floor|round8?)\()"),
        r"let \1 = ",
        "a value is named with `let`",
        "`{new}`",
    ),
    Rule(
        "variant",
        re.compile(r"^variant +(\w+) +(?=\w+ *=)"),
        r"variant \1: ",
        "missing `:` in `{old}`",
        "`{new}`",
        "no `:`",
    ),
    Rule(
        "use",
        re.compile(r"^use +([a-z]\w*) +(?=[a-z])"),
        r"use \1: ",
        "missing `:` in `{old}`",
        "`{new}`",
        "no `:`",
    ),
    Rule(
        "names",
        re.compile(r"^(use +\w+:) *([a-z_]\w*(?:(?: +|,)[a-z_]\w*)+)$"),
        _names,
        "the names of blocks are separated by commas",
        "`{new}`",
    ),
    Rule(
        "label",
        re.compile(r"^@([a-z_]\w*) *[:=] *"),
        r"\1: ",
        "a label is defined without `@`: `{old}`",
        "`{new}`",
    ),
    Rule(
        "call",
        re.compile(r"\b(?!x\b)([a-z_]\w*) +(@?\w[\w.=]*(?:[ ,]+@?\w[\w.=]*)*)(?= *(?:->|→|$))"),
        _call,
        "the arguments of a block are in parentheses: `{old}`",
        "`{new}`",
        "no parentheses",
    ),
    Rule(
        "call",
        re.compile(r"\b([a-z_]\w*) *[\[{]([^\[\]{}]*)[\]}]"),
        _call,
        "the arguments of a block are in parentheses: `{old}`",
        "`{new}`",
    ),
    Rule(
        "times",
        re.compile(r"(?:^|(?<=-> )|(?<=: ))(\w+ *[-+*/] *\w+) +x +(?=[A-Za-z])"),
        r"(\1) x ",
        "an expression before `x` is in parentheses: `{old}`",
        "`{new}`",
    ),
    Rule(
        "after",
        re.compile(r"^after +([A-Za-z]\w*) +(?=[A-Za-z]\w* *(?:->|→|$))"),
        _layers,
        "missing `:` in `{old}`",
        "`{new}`",
        "no `:`",
    ),
    Rule(
        "after",
        re.compile(r"^after +([A-Za-z][\w ,]*?) *(?:->|→|:|=) *"),
        _layers,
        "`after` and its layers end with `:`, got `{old}`",
        "`{new}`",
    ),
)
