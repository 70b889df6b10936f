"""Mistakes in the arguments of layers, calls and claims: dropped, doubled, swapped, wrong, or as another framework has them."""

from __future__ import annotations

import re
from random import Random

from benchmarks.helps.mistakes.choice import CALL, LAYER, NAME, NUMBER, STEP, Mistake, any_of, pick, put, swap


def _step(text: str, chance: Random, least: int) -> tuple[re.Match[str], str, list[str]] | None:
    """Return a step with at least so many arguments, its layer, and the arguments."""
    at = pick(text, rf"(?P<layer>{LAYER})(?P<rest>(?: (?!->)[\w.:=*x()+-]+){{{least},}})(?=$| *->| +#| *\n)", chance)
    return None if at is None else (at, at["layer"], at["rest"].split())


def argument_dropped(text: str, chance: Random) -> str | None:
    """Leave out an argument of a layer."""
    found = _step(text, chance, 1)
    if found is None:
        return None
    at, layer, arguments = found
    del arguments[chance.randrange(len(arguments))]
    return put(text, at, " ".join([layer, *arguments]))


def argument_doubled(text: str, chance: Random) -> str | None:
    """Write an argument of a layer twice."""
    found = _step(text, chance, 1)
    if found is None:
        return None
    at, layer, arguments = found
    arguments.insert(chance.randrange(len(arguments) + 1), chance.choice(arguments))
    return put(text, at, " ".join([layer, *arguments]))


def number_changed(text: str, chance: Random) -> str | None:
    """Change a number by a little, or by a factor, or swap two of its digits."""
    at = pick(text, NUMBER, chance)
    if at is None:
        return None
    number = int(at[0])
    swapped = int(at[0][::-1])
    return put(text, at, str(chance.choice((number + 1, max(0, number - 1), 2 * number, number * 10, swapped))))


def pad_changed(text: str, chance: Random) -> str | None:
    """Pad by a pixel more or less, or by nothing."""
    at = pick(text, r"\b(?:p|pad=|pad )(\d+)\b", chance)
    return None if at is None else put(text, at, str(chance.choice((0, int(at[1]) + 1, int(at[1]) + 2))), 1)


def stride_changed(text: str, chance: Random) -> str | None:
    """Take another stride."""
    at = pick(text, r"\b(?:s|stride=|stride )(\d)\b", chance)
    return None if at is None else put(text, at, chance.choice("1345"), 1)


def window_changed(text: str, chance: Random) -> str | None:
    """Take another window."""
    at = pick(text, r"(?<![\dx\[])\d{1,2}x\d{1,2}(?![\dx])", chance)
    return None if at is None else put(text, at, chance.choice(("5x5", "7x7", "2x2", "4x4", "1x1", "3x5")))


def call_argument(text: str, chance: Random) -> str | None:
    """Leave out an argument of a call, add one, swap two, or give one a name that is not there."""
    at = pick(text, rf"{CALL}([^()\n]*)\)", chance)
    if at is None:
        return None
    arguments = [one for one in at[1].split(", ") if one]
    kind = chance.randrange(4)
    if kind == 0 and arguments:
        del arguments[chance.randrange(len(arguments))]
    elif kind == 1 and len(arguments) > 1:
        arguments.reverse()
    elif kind == 2 and arguments:
        arguments[-1] = (
            f"{chance.choice(('f', 'stride', 'channels', 'n'))}={arguments[-1].partition('=')[2] or arguments[-1]}"
        )
    else:
        arguments.append(chance.choice(("2", "64")))
    return put(text, at, ", ".join(arguments), 1)


ARGUMENTS: dict[str, Mistake] = {
    "argument dropped": argument_dropped,
    "argument doubled": argument_doubled,
    "number changed": number_changed,
    "pad changed": pad_changed,
    "pad dropped": swap(r" (?:p\d|pad=\d|same)\b", ""),
    "stride changed": stride_changed,
    "stride dropped": swap(r" (?:s\d|stride=\d)\b", ""),
    "window changed": window_changed,
    "window without x": swap(r"\b(\d)x\1(?= |$)(?!\d*\])", r"\1", r"\1*\1", r"(\1,\1)", r"\1,\1", r"\1 \1", r"\1by\1"),
    "count dropped": swap(r"\b(CONV|FC|UPCONV|MHSA) [\w*]+", r"\1"),
    "count of zero": swap(r"\b(CONV|FC|UPCONV|MHSA|GN) \d+", r"\1 0", r"\1 -1", r"\1 1.5", r"\1 2.0"),
    "input channels written": swap(r"\b(CONV) (\d+)", r"\1 3 \2", r"\1 64 \2", r"\1 in=3 \2", r"\1 3->\2"),
    "input features written": swap(r"\b(FC) (\d+)", r"\1 4096 \2", r"\1 512 \2", r"\1 \2 \2"),
    "groups changed": any_of(swap(r"\bg\d+\b", "g3", "g5", "g7", "g0"), swap(r"\b(groups=)\d+", r"\g<1>5", r"\g<1>7")),
    "groups that do not divide": swap(r"\b(CONV \d+ \dx\d)\b", r"\1 g3", r"\1 g5", r"\1 groups=7"),
    "heads changed": swap(r"\bMHSA \w+", "MHSA 5", "MHSA 7", "MHSA 11", "MHSA 0", "MHSA"),
    "probability as per cent": swap(
        r"\b(DROPOUT|DROPPATH) 0\.(\d)\b(?!\d)", r"\1 \g<2>0%", r"\1 \g<2>0", r"\1 1.\2", r"\1"
    ),
    "thousands with a comma": swap(r"(?<![\w,.*=-])(\d)(\d{3})(?![\w,*])", r"\1,\2", r"\1_\2", r"\1'\2", r"\1k"),
    "torch's name of an argument": any_of(
        swap(r"\bp(\d)\b", r"padding=\1", r"pad \1", r"P\1", r"p=\1", r"p \1"),
        swap(r"\bs(\d)\b", r"strides=\1", r"S\1", r"s=\1", r"s \1", r"/\1"),
        swap(r"(CONV|POOL) ((?:\d+ )?)(\d)x\3\b", r"\1 \2kernel_size=\3", r"\1 \2kernel=\3", r"\1 \2k\3", r"\1 \2k=\3"),
        swap(r"\bFC (\d+)", r"FC units=\1", r"FC out=\1", r"FC out_features=\1", r"FC(\1)"),
        swap(r"\bCONV (\d+)", r"CONV filters=\1", r"CONV out_channels=\1", r"CONV f=\1", r"CONV(\1)", r"CONV \1x"),
    ),
    "argument that the layer has not": swap(
        rf"({STEP})(?= ->|$)",
        *(
            rf"\1 {one}"
            for one in ("bias=False", "activation=relu", "relu", "64", "3x3", "valid", "p1", "s2", "eps=1e-3")
        ),
    ),
    "argument of a call": call_argument,
    "argument of a call, once more": call_argument,
    "even window with same": swap(r"\b\dx\d same", "2x2 same", "4x4 same"),
    "expression misspelt": any_of(
        swap(r"(\d)\*([a-zC])", r"\1\2", r"\1 * \2", r"\1x\2", r"\2^\1", r"\1**\2"),
        swap(r"==", "=", "===", "is", "eq"),
        swap(r" and ", " && ", " & ", " AND "),
        swap(r"\b(round8|ceil|floor|min|max)\(", r"\1[", "round(", "int(", "roundup("),
    ),
    "claim changed": any_of(
        swap(r"(params: .*= )\d[\d,]*", r"\g<1>1,234", r"\g<1>4.2M"),
        swap(r"(memory: +\d+\*\d+\*)\d+", r"\g<1>7", r"\g<1>640"),
        swap(r"(params: \(\d\*\d\*)\d+", r"\g<1>5"),
        swap(r"(memory: [^=\n]*=)[\d.]+[KM]", r"\g<1>9.9M", r"\g<1>12K"),
    ),
    "TOTAL changed": any_of(
        swap(r"(TOTAL params: )[\d.]+", r"\g<1>77", r"\g<1>1.2"),
        swap(r"(TOTAL memory: )[\d.]+", r"\g<1>2.5", r"\g<1>240"),
        swap(r"(~= ?)[\d.]+(?=MB)", r"\g<1>12", r"\g<1>9600"),
    ),
    "setting changed": any_of(
        swap(r"^(    epochs) \d+", r"\1 0", r"\1 1.5", r"\1 -3", r"\1"),
        swap(r"^(    lr) [\d.e-]+", r"\1 0", r"\1 -0.1", r"\1 fast", r"\1"),
        swap(r"\b(momentum|weight_decay|beta1|decay)=[\d.e-]+", r"\1=1.5", r"\1=-1", r"\1=", r"\1 0.9"),
        swap(r"^(    warmup) \d+", r"\1 1000", r"\1 -1", r"\1"),
        swap(r"\b(crop|color|mixup|cutmix|resized_crop)=[\d.]+", r"\1=-1", r"\1=100%", r"\1=x"),
        swap(r"^(    label_smoothing|    clip|    ema) [\d.]+", r"\1 2", r"\1 -1", r"\1"),
        swap(r"^    optimizer \w+", "    optimizer adam", "    optimizer SGD", "    optimizer", "    optimizer = sgd"),
    ),
    "value of a variant": any_of(
        swap(rf"^(variant \w+: {NAME})=([\w.]+)", r"\1 \2", r"\1:\2", r"\1==\2", r"\1="),
        swap(rf"^(param {NAME}) = (\w+)", r"\1 \2", r"\1: \2", r"\1 == \2", r"\1 ="),
    ),
}
