"""Specs with some of their lines, words and characters changed, two specs spliced, and words without a plan.

In: a source of chance. Out: a text. The specs are the built-in ones and those of tests/errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

from archspec.library import folder

ERRORS = Path(__file__).parents[3] / "tests" / "errors"
Change = Callable[[str, Random], str]
PIECES = """
CONV FC POOL2 POOL BN RELU GAP add concat mul x @h @before 3x3 1x7 s2 p1 p0:1 g2 d2 same floor ceil linear
nobias -> | [ ] ( ) [8x8x4] [28 x 28 x 4*k] INPUT: INPUT block if else let param variant net use after aux
0.3: 64 0 -1 1e9 99999999999999999999 C H W N f n stride=2 params: memory: 3.2M = 1,728 TOTAL # : , * / // % +
- == < and or not round8( max( unit(f) 3 x (n-1) x MHSA 4 TOKENS LN DROPOUT 0.5 DROPPATH 0 to 0.2 SLICE UPCONV
window=7 output loss a: shared @h.a @last.a @more... weights=@h train epochs lr augment é → × “ \t \u00a0 \x00
""".split()  # noqa: SIM905  # a page of words
LAYERS = """
INPUT CONV DWCONV UPCONV FC POOL AVGPOOL GAP BN LN GN IN NORM RELU GELU SOFTMAX MHSA TOKENS CLS TAKE POSEMBED TRANSPOSE
SHIFT SHUFFLE SLICE PADCHANNELS SPACE2DEPTH UPSAMPLE PAD AFFINE SCALE DROPOUT DROPPATH
""".split()  # noqa: SIM905
SETTINGS = """
optimizer lr warmup epochs augment label_smoothing loss clip ema sgd adamw rmsprop momentum=0.9 weight_decay=0 nesterov
beta1=0.9 beta2=1 decay=0.9 eps=1 for batch constant cosine to divided by on plateau of at times every epoch , 0 1
0.5 class input 90 1e-4 1e30 256 flip crop crop=1.2 resized_crop=0.08 scale=1 color cutout mixup=0.2 cutmix -1 x |
""".split()  # noqa: SIM905
LETTERS = "x[]()|@->=:,.#0123456789 \t\nABCabc*/%é\x00\x1b"
STRANGE = "\x00\x07\x1b\x7f\x85\u200b\u202e\u2028\ufeff\ud800\udfff\U0001f600\u0661\uff11\u00b2\u0130\u01c5ſK"


@cache
def seeds() -> tuple[str, ...]:
    """Return the texts of the built-in specs and of those with errors."""
    paths = [*sorted(folder().glob("*.arch")), *sorted(ERRORS.glob("*.arch"))]
    return tuple(text for path in paths if (text := path.read_text(encoding="utf-8")))


def mutated(chance: Random) -> str:
    """Return a spec with some of its lines, words and characters moved, dropped, doubled or replaced."""
    return change_text(chance.choice(seeds()), chance, chance.randint(1, 4), MUTATIONS)


def change_text(text: str, chance: Random, times: int, changes: Sequence[Change]) -> str:
    """Return the text after as many changes."""
    for _ in range(times):
        text = chance.choice(changes)(text, chance)
    return text


def spliced(chance: Random) -> str:
    """Return the beginning of a spec and the end of another, or one with some lines of another."""
    one, other = (chance.choice(seeds()).split("\n") for _ in range(2))
    at, begin = chance.randrange(len(one) + 1), chance.randrange(len(other))
    if chance.random() < 0.5:
        return "\n".join(one[:at] + other[begin:])
    end = begin + chance.randint(1, 6)
    return "\n".join(one[:at] + other[begin:end] + one[at:])


def change_lines(text: str, chance: Random) -> str:
    """Drop, double, swap or indent a line, or take one from another spec."""
    lines = text.split("\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(to, lines[at])
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif kind == 3:
        lines[at] = " " * chance.randrange(9) + lines[at].lstrip()
    else:
        lines.insert(to, chance.choice(chance.choice(seeds()).split("\n")))
    return "\n".join(lines)


def change_words(text: str, chance: Random) -> str:
    """Drop a word, or insert one."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    parts = lines[at].split(" ")
    place = chance.randrange(len(parts))
    if chance.random() < 0.3:
        del parts[place]
    else:
        parts.insert(place, chance.choice(PIECES))
    lines[at] = " ".join(parts)
    return "\n".join(lines)


def change_characters(text: str, chance: Random) -> str:
    """Drop, insert or replace a character."""
    if not text:
        return "x"
    at = chance.randrange(len(text))
    kind = chance.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + chance.choice(LETTERS) + text[at:]
    return text[:at] + chance.choice("0123456789") + text[at + 1 :]


def change_number(text: str, chance: Random) -> str:
    """Replace a whole number by an odd one."""
    parts = text.split(" ")
    numbers = [place for place, part in enumerate(parts) if part.isdecimal()]
    if numbers:
        parts[chance.choice(numbers)] = chance.choice(("0", "1", "7", "0.5", "4096", "1e-9", "9223372036854775807"))
    return " ".join(parts)


def change_layer(text: str, chance: Random) -> str:
    """Replace a layer by another, whose arguments may be others, or drop one from its chain."""
    found = list(re.finditer(r"\b[A-Z][A-Z0-9]+\b", text))
    if not found:
        return text
    one, other = chance.choice(found), chance.choice(LAYERS)
    return text[: one.start()] + other + text[one.end() :]


def change_order(text: str, chance: Random) -> str:
    """Drop a line without lines under it, or put it elsewhere among those of its indentation."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    indent = len(lines[at]) - len(lines[at].lstrip())
    line = lines.pop(at)
    others = [place for place, one in enumerate(lines) if len(one) - len(one.lstrip()) == indent]
    if others and chance.random() < 0.7:
        lines.insert(chance.choice(others), line)
    return "\n".join(lines)


def change_place(text: str, chance: Random) -> str:
    """Copy a line, of this text or another, to a place where it belongs to another line."""
    lines = text.split("\n")
    other = chance.choice(seeds()).split("\n") if chance.random() < 0.3 else lines
    line, at = chance.choice(other).lstrip(" |"), chance.randrange(len(lines))
    indent = len(lines[at]) - len(lines[at].lstrip(" "))
    shift = chance.choice(("", "", "    ", "| ", "      ", "    | "))
    lines.insert(at + 1, " " * indent + shift + line)
    return "\n".join(lines)


def change_reference(text: str, chance: Random) -> str:
    """Misspell a reference, drop its mark or a part of it, put another in its place, or share a block or not."""
    found = list(re.finditer(r"@[a-z_][\w.]*|(?m:(?<=^block )\w+(?:\(.*\))?(?: shared)?)", text))
    if not found:
        return text
    one = chance.choice(found)
    word = one.group()
    if not word.startswith("@"):
        word = word.removesuffix(" shared") if word.endswith(" shared") else f"{word} shared"
    else:
        name, _, inner = word[1:].partition(".")
        others = (f"@{name}", f"@{name}.{inner}e", f"@last.{inner or name}", f"@{name}...", word[1:], f"@{name}.{name}")
        word = chance.choice((*others, chance.choice(found).group()))
    return text[: one.start()] + word + text[one.end() :]


MUTATIONS: tuple[Change, ...] = (
    *(change_lines, change_words, change_words, change_characters),
    *(change_number, change_layer, change_place, change_reference),
)
FAULTS: tuple[Change, ...] = (
    *(change_number, change_number, change_layer, change_layer),
    *(change_order, change_words, change_place, change_reference),
)


def words(chance: Random) -> str:
    """Return words of the language without a plan, or a `train` section of such words; seldom a line too long."""
    if chance.random() < 0.05:
        return "[8x8x4] INPUT\nFC " + "1+" * 2_500 + "1\n"
    is_recipe = chance.random() < 0.5
    kind = SETTINGS if is_recipe else PIECES
    lines = [" ".join(chance.choices(kind, k=chance.randrange(9))) for _ in range(chance.randrange(9))]
    return "\n    ".join(["[8x8x4] INPUT\nFC 10\ntrain", *lines]) if is_recipe else "\n".join(lines)


def noise(chance: Random) -> str:
    """Return characters without a plan."""
    kinds: tuple[Callable[[], str], ...] = (
        lambda: chr(chance.randrange(256)),
        lambda: chance.choice(STRANGE),
        lambda: chr(chance.randrange(0x3000)),
        lambda: chance.choice(LETTERS),
    )
    few = chance.choices(kinds, k=2)
    return "".join(chance.choice(few)() for _ in range(chance.randrange(200)))
