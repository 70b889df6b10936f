"""Words of other languages: keywords, layers in lower case or called as functions, labels, repeats, numbering.

In: nothing. Out: `RULES`, in the order in which they are tried.
"""

from __future__ import annotations

import re

from archspec.language.mistakes.rules.declared import KEYWORDS
from archspec.language.mistakes.rules.rule import Match, Rule, Words

ENDS = frozenset(("end", "endif", "endblock", "pass", "done", "fi", "begin", "then"))
MERGES = {
    **dict.fromkeys(("sum", "plus", "residual", "skip", "addition"), "add"),
    **dict.fromkeys(("cat", "concatenate", "merge", "stack", "join", "concatenation"), "concat"),
    **dict.fromkeys(("multiply", "times", "product", "scale"), "mul"),
}
AMBIGUOUS = frozenset(("in", "pad", "shift", "scale", "take", "slice", "input", "norm"))  # also arguments, or words
_STEP = r"(?:(?<=^)|(?<=-> )|(?<=->)|(?<=→ )|(?<=\] )|(?<=: )|(?<=\bx ))"
_POOLS = {"max": "MAXPOOL", "avg": "AVGPOOL", "average": "AVGPOOL", "mean": "AVGPOOL"}


def _merge(match: Match, _words: Words) -> str | None:
    return MERGES.get(match[1].lower())


def _upper(match: Match, words: Words) -> str | None:
    """Replace a layer in lower case by its name."""
    if match[1][:1].isupper() and len(match[1]) > 1:
        return None  # the grammar reads it
    return words.layer(match[1])


def _pool(match: Match, _words: Words) -> str:
    return "GAP" if match[1] else _POOLS[match[2].lower()]


def _called(match: Match, words: Words) -> str | None:
    """Return `CONV 64 3x3` for `CONV(64, 3x3)`."""
    layer = words.layer(match[1])
    if layer is None:
        return None
    inside = re.sub(r"\(\s*(\d+)\s*,\s*(\d+)\s*\)", r"\1x\2", match[2])
    given = [part.strip() for part in inside.split(",") if part.strip()]
    if layer == "CONV" and len(given) > 1 and given[0].isdigit() and given[1].isdigit():
        given[1] = f"{given[1]}x{given[1]}"
    return " ".join([layer, *given])


def _before_a_step(match: Match, words: Words) -> str | None:
    """Return an arrow before a word that names a layer or calls a block."""
    word = match[2]
    before = match.string[: match.start()]
    if before.rstrip().endswith(("->", "→")) or before.startswith(
        ("after ", "use ", "block ", "for ", "let ", "param ")
    ):
        return None
    if match[3] == "(":
        return f" -> {word}(" if word in words.blocks and re.search(r"[A-Z]{2}|\)", before) else None
    layer = words.layer(word)
    if "+" in match[0] and re.fullmatch(r"@?[a-z_]\w*\s*", before) and not words.layer(before.strip()):
        return None  # a sum with an earlier result
    first = re.search(r"([A-Za-z]\w*)$", before)
    if (
        layer is None
        or word in AMBIGUOUS
        or not re.search(r"[A-Za-z)\]]", before)
        or re.search(r"(?:\w:|\bx|^\[[^\]]*\])\s*$", before)
    ):
        return None
    if first and first[1].lower() in ("max", "avg", "average", "global", "mean"):
        return None
    return f" -> {word if word[0].isupper() else layer}{match[3]}"


def _dashed(match: Match, words: Words) -> str | None:
    parts = re.split(r"[-+/]", match[0])
    if layer := words.layer("".join(parts)):
        return layer
    layers = [words.layer(part) for part in parts]
    return " -> ".join(part for part in layers if part) if all(layers) else None


def _reordered(match: Match, words: Words) -> str | None:
    """Return `CONV 64 3x3` for `3x3 conv, 64` and `64 3x3 conv`."""
    layer = words.layer(match[3])
    given = [layer, match[1] or match[4], match[2]]
    return " ".join(word for word in given if word) if layer else None


def _repeated(match: Match, _words: Words) -> str:
    return f"{match[2]} x {match[1]}"


def _label(match: Match, words: Words) -> str | None:
    """Return `stem: ` for `stem = ` before a step."""
    name, rest = match[1], match.string[match.end() :]
    called = re.match(r"([A-Za-z]\w*)\(", rest)
    if not (re.match(r"[A-Z][A-Za-z0-9_]+", rest) or words.layer(rest.split(" ")[0]) or called):
        return None
    used = re.search(rf"@{re.escape(name)}\b", match.string)
    return f"{name.lower()}: " if used or name not in ("x", "y", "out", "h", "net", "output") else ""


def _lower_label(match: Match, words: Words) -> str | None:
    """Return a label as the notation writes it; none for a layer or a number before the step."""
    name = match[1]
    if name.split(" ")[0].lower() in (*KEYWORDS, "repeat", "loop", "for", "while", "do", "times"):
        return None
    if " " in name and words.layer(re.split(r"[\W\d]", name)[0]) and re.match(r"[A-Z]{2}", match.string[match.end() :]):
        return ""
    if words.layer(re.split(r"[\W\d]", name)[0]) and name[:1].isupper():
        return None
    rest = match.string[match.end() :].split(" ")[0]
    if words.layer(rest) is None and not re.match(r"[\[(]|[a-z]\w*\(", rest):
        return None
    if rest.startswith("["):  # a label follows the bracket
        return ""
    plain = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    return f"{plain}: " if re.match(r"[a-z_]", plain) and plain not in KEYWORDS else ""


RULES = (
    Rule(
        "flatten",
        re.compile(r"^flatten(?: *\( *\))?$", re.IGNORECASE),
        "",
        "an FC flattens a map by itself",
        "drop `{old}`",
        "not a layer",
    ),
    Rule(
        "order",
        re.compile(r"^(\d+)?,? *(\d+x\d+) +([A-Za-z]+)\b,? *(\d+\b)?(?: *(?:filters|channels|kernels))?"),
        _reordered,
        "the layer comes first: `{old}`",
        "`{new}`",
        "arguments before their layer",
    ),
    Rule(
        "case",
        re.compile(r"^([a-z]+\d*)(?= *: *\d)"),
        lambda match, words: match[1].upper() if words.layer(match[1]) else None,
        "layers are written in capitals: `{old}`",
        "`{new}`",
        "lower case",
    ),
    Rule(
        "merge",
        re.compile(r"(?:(?<=^)|(?<=-> ))([a-zA-Z]+)(?= *:?$)"),
        _merge,
        "unknown merge `{old}`",
        "`{new}`",
        "unknown",
        "E102",
    ),
    Rule(
        "label",
        re.compile(r"^([A-Za-z_]\w*) *= *"),
        _label,
        "a step is not assigned to a name: `{old}`",
        "`{new}`",
        "an assignment",
    ),
    Rule(
        "label",
        re.compile(r"^([a-z_]\w*) *: *(\[[\dx ]+\]) *(?=[A-Z])"),
        r"\2 \1: ",
        "a label is written after the volume, got `{old}`",
        "`{line}`",
    ),
    Rule(
        "label",
        re.compile(r"^([A-Za-z_][\w./ -]{0,30}?) *: *(?=\S)"),
        _lower_label,
        "`{old}` is not a label",
        "`{new}`",
        "a label",
    ),
    Rule(
        "case",
        re.compile(_STEP + r"\b(global)?[ _-]?(max|avg|average|mean)[ _-]?pool(?:ing)?(?:2d)?\b(?!\()", re.I),
        _pool,
        "layers are written in capitals: `{old}`",
        "`{new}`",
        "not a layer",
    ),
    Rule(
        "case",
        re.compile(_STEP + r"([A-Za-z]\w*)\b(?![(:.]| *=)"),
        _upper,
        "layers are written in capitals: `{old}`",
        "`{new}`",
        "lower case",
    ),
    Rule(
        "call",
        re.compile(r"\b([A-Za-z]\w*)\(((?:[^()]|\([^()]*\))*)\)"),
        _called,
        "a layer is not called with parentheses",
        "`{new}`",
        "not a block",
    ),
    Rule(
        "dashed",
        re.compile(r"\b[A-Za-z]\w*(?:[-+/][A-Za-z]\w*)+"),
        _dashed,
        "missing `->` in `{old}`",
        "`{line}`",
        "several steps",
        "E006",
    ),
    Rule(
        "arrow missing",
        re.compile(
            r" *(?:(?<![-=])(?:[,+&|/;>%]|//|--) *"
            r"|\b(?:and|then|followed by|with) )? *(?<![\w(=])([ ]?)([A-Za-z]\w*)(\(?)"
        ),
        _before_a_step,
        "missing `->` before `{old}`",
        "`{line}`",
        "a second step",
        "E006",
    ),
    Rule(
        "repeat",
        re.compile(r"([a-z_]\w*\([^()]*\)|[A-Z]\w+(?: [\w=]+)*) +(?:x|X|×|\*) *(\d+)$"),
        _repeated,
        "a repeat is written `{new}`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "repeat",
        re.compile(r"(?:(?<=^)|(?<=-> ))(\d+|[a-z]\w*) *[*X] *(?=[a-z_]\w*\(|[A-Z]{2})"),
        r"\1 x ",
        "a repeat is written with `x`, got `{old}`",
        "`{new}`",
    ),
    Rule(
        "repeat",
        re.compile(r"^(?:repeat|for|loop) (?:\w+ in (?:range\()?)?(\d+|\w+)\)?(?: times)?:? (?=\S)"),
        r"\1 x ",
        "a repeat is written `{new}`, got `{old}`",
        "`{new}`",
    ),
)
