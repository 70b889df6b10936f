"""Mistakes in signs: arrows, brackets, parentheses, bars, colons, blanks, and what editors make of them."""

from __future__ import annotations

from random import Random

from benchmarks.helps.mistakes.choice import CALL, NAME, Mistake, any_of, pick, put, swap

BRACKET = r"\[(\d+)x(\d+)x(\d+)\]"


def bracket_changed(text: str, chance: Random) -> str | None:
    """Change a number of a bracket."""
    at = pick(text, r"\[(?:\d+x)*(\d+)(?:x\d+)*\](?! *INPUT)", chance)
    if at is None:
        return None
    places = [one for one in range(at.start(), at.end()) if text[one].isdigit()]
    place = chance.choice(places)
    return text[:place] + chance.choice("123456789") + text[place + 1 :]


def tab(text: str, chance: Random) -> str | None:
    """Indent all lines by tabs, as an editor does."""
    if "\n    " not in text:
        return None
    if chance.random() < 0.5:
        return text.replace("\n    ", "\n\t").replace("\t    ", "\t\t")
    at = pick(text, r"^    (?! )", chance)
    return None if at is None else put(text, at, "\t")


SIGNS: dict[str, Mistake] = {
    "arrow dropped": swap(r" -> ", " "),
    "arrow dropped, once more": swap(r" -> (?=[A-Z])", " "),
    "arrow of another kind": swap(
        r" -> ", *(f" {one} " for one in ("=>", "-->", "—>", "⇒", ">", "|", ",", ";", "–>", "- >", "➔", "<-", "+"))
    ),
    "arrow doubled": swap(r" -> ", " -> -> ", " ->-> "),
    "arrow at the end": swap(r"([A-Za-z0-9)\]])$", r"\1 ->"),
    "arrow at the beginning": swap(r"^( *)(?=[A-Z][A-Z])", r"\1-> "),
    "arrow after the bracket": swap(r"^(\[[\dx]+\]) +(?=[A-Z])", r"\1 -> ", r"\1: ", r"\1 = "),
    "bracket not closed": swap(r"(\[[\dx ]+)\]", r"\1"),
    "bracket not opened": swap(r"\[([\dx ]+\])", r"\1"),
    "bracket of another kind": swap(r"\[([\dx]+)\]", r"(\1)", r"{\1}", r"<\1>", r"\1"),
    "bracket with commas": swap(BRACKET, r"[\1, \2, \3]", r"[\1,\2,\3]", r"[\1*\2*\3]", r"[\1 \2 \3]", r"(\1, \2, \3)"),
    "bracket changed": bracket_changed,
    "bracket changed, once more": bracket_changed,
    "bracket channels first": swap(BRACKET, r"[\3x\1x\2]"),
    "input channels first": swap(
        rf"^{BRACKET}(?= +INPUT)", r"[\3x\1x\2]", r"[1x\3x\1x\2]", r"[Nx\1x\2x\3]", r"[\3, \1, \2]"
    ),
    "bracket of fewer or more sizes": swap(BRACKET, r"[\1x\2]", r"[\3]", r"[1x\1x\2x\3]", r"[\1x\2x\3x1]"),
    "input changed": swap(
        rf"^{BRACKET}(?= +INPUT)", r"[225x225x3]", r"[\1x\2x1]", r"[28x28x1]", r"[31x33x\3]", r"[8x8x\3]"
    ),
    "parenthesis dropped": any_of(swap(rf"({CALL}[^()\n]*)\)", r"\1"), swap(rf"({CALL[:-2]})\(", r"\1 ")),
    "call without parentheses": swap(rf"({CALL[:-2]})\(([^()\n]*)\)", r"\1 \2", r"\1", r"\1[\2]", r"\1{\2}"),
    "commas of a call": any_of(
        swap(rf"({CALL}[^(),\n]*), ", r"\1 ", r"\1; ", r"\1,, "), swap(rf"({CALL}[^()\n]*)\)", r"\1,)")
    ),
    "colon dropped": swap(rf"^((?:after|variant|aux|use) [^:\n]*|{NAME}):", r"\1"),
    "colon added": swap(r"^((?:block| *if| *else| *add| *concat)\b[^\n#]*[^\s#])$", r"\1:", r"\1 {", r"\1;"),
    "bar dropped": swap(r"^( +)\| ", r"\1", r"\1  ", r"\1- "),
    "bar doubled": swap(r"^( +)\| ", r"\1|| ", r"\1| | "),
    "bar at the margin": swap(r"^ +\| ", "| "),
    "at dropped": any_of(swap(rf"@({NAME})", r"\1", r"$\1", r"&\1", r"@ \1"), swap(r"\| x$", "| @x", "| input", "| X")),
    "sign at the end of a line": swap(r"([A-Za-z0-9)\]])$", r"\1;", r"\1,", r"\1.", r"\1)", r"\1 \\"),
    "quotes": any_of(
        swap(r"\b(relu|RELU|same|bottleneck|basic)\b", r'"\1"', r"'\1'", r"“\1”", r"`\1`"),
        swap(r"^( *)([A-Z]{2,})", r'\1"\2"'),
    ),
    "blank of another kind": swap(r"(?<=\S) (?=\S)", "\u00a0", "\u2009", " \u200b", "\u3000", "\u202f"),
    "blank dropped": any_of(
        swap(r"\b([A-Z]{2,}) (\d)", r"\1\2"), swap(r"\b(\d+) (\dx\d)", r"\1\2"), swap(r"\b(\dx\d) ([sp]\d)", r"\1\2")
    ),
    "dash of another kind": swap(r"(?<=[\w)])-(?=[\w(])", "–", "—", "−", "‑"),
    "tabs": tab,
    "comment of another language": any_of(
        swap(r"#(?= )", "//", "--", "%", ";"), swap(r"([A-Za-z0-9)\]])$", r"\1 // a comment", r"\1 /* a comment */")
    ),
    "doubled equals": any_of(
        swap(r"(\w)=(\w)", r"\1==\2", r"\1:\2", r"\1:=\2", r"\1 = \2"), swap(r" = ", " == ", " := ")
    ),
}
