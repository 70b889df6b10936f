"""The kinds of a layer's arguments: how each is written, converted and checked.

In: a value as the resolver evaluated it. Out: the value of a layer's field. The reference in grammar/README.md is
generated from these descriptions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.record import REQUIRED, Record

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]  # ((top, bottom), (left, right))
Value = int | float | bool | tuple[Any, ...]


class Kind(Record):
    """One kind of value: a word for messages, how it is written, and a function that checks and converts."""

    noun: str
    written: str
    convert: Callable[[Any], Any]
    takes_extent: bool = False


class Respelling(str):
    """A help that gives a step other arguments: `Respelling("`{}` gives 55x55", pad=((2, 2), (2, 2)))`.

    A layer knows its fields and not how its step is written: the resolver puts the step with the new values, in the
    source's own terms, in place of `{}`. A field that is None is dropped.

    `steps` is what to write if it is not the step alone: `TOKENS -> {}`, or `FC {filters}`, where `{filters}` is the
    field as the source has it; if it is empty, the step is dropped.
    """

    fields: dict[str, Any]
    steps: str

    def __new__(cls, text: str, steps: str = "{}", /, **fields: Any) -> Respelling:
        """Return a help whose text has one `{}`."""
        new = super().__new__(cls, text)
        new.fields, new.steps = fields, steps
        return new


class Argument(Record):
    """The description of a layer's field."""

    kind: Kind
    doc: str
    default: Any
    short: str | None  # the letter of its short form
    is_positional: bool  # given by position, without a name
    words: tuple[tuple[str, Any], ...]  # words that set it, with what they set


def argument(  # noqa: PLR0913  # a keyword for each thing that can be said of a field
    kind: Kind,
    doc: str,
    *,
    default: Any = REQUIRED,
    short: str | None = None,
    positional: bool = False,
    words: tuple[tuple[str, Any], ...] = (),
) -> Any:
    """Describe a field of a layer; it is required unless it has a `default`."""
    return Argument(kind, doc, default, short, positional, words)


def flag(doc: str, default: bool | None = False, **words: bool) -> Any:
    """Describe a field that a bare word sets: `flag("...", same=True)`."""
    return Argument(FLAG, doc, default, None, False, tuple(words.items()))


def volume(doc: str) -> Any:
    """Describe a field that says whether the layer is given another volume: `kv=@memory`."""
    return Argument(VOLUME, doc, False, None, False, ())


def _whole(value: Any, least: int, noun: str) -> int:
    if isinstance(value, tuple):
        raise Finding("E105", f"expected {noun}, got {_shown(value)}")
    if isinstance(value, float) and abs(value - round(value)) < 1e-9:
        value = round(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Finding("E105", f"{_shown(value)} is not a whole number")
    if value < least:
        raise Finding("E105", f"expected {noun}, got {value}", notes=(f"it must be at least {least}",))
    return value


def _count(value: Any) -> int:
    return _whole(value, 1, "a count")


def _index(value: Any) -> int:
    return _whole(value, 0, "an index")


def _real(value: Any) -> float:
    if isinstance(value, tuple | bool):
        raise Finding("E105", f"expected a number, got {_shown(value)}")
    return float(value)


def _deviation(value: Any) -> float:
    real = _real(value)
    if real < 0:
        raise Finding("E105", f"expected a standard deviation, got {_shown(value)}", notes=("it must be at least 0",))
    return real


def _probability(value: Any) -> float:
    real = _real(value)
    if not 0 <= real < 1:
        percent = Respelling(f"`{{}}` is {real:g} %", value=real / 100)
        helps = (percent if 1 < real < 100 else Respelling("`{}`, for example", value=0.5),)
        notes = ("it must be at least 0 and less than 1",)
        raise Finding("E105", f"{_shown(value)} is not a probability", notes=notes, helps=helps)
    return real


def _pair(value: Any) -> Pair:
    if not isinstance(value, tuple):
        return (_count(value), _count(value))
    if len(value) != 2 or isinstance(value[0], tuple):
        notes = ("a size is `3`, or `3x5` (height x width)",)
        helps = (Respelling("`{}` leaves out the depth", value=value[-2:]),) if len(value) == 3 else ()
        raise Finding("E105", f"expected height x width, got {_shown(value)}", notes=notes, helps=helps)
    return (_count(value[0]), _count(value[1]))


def _pads(value: Any) -> Pads:
    """`1`, `0x3`, `0:1` (begin:end), `0:1x2:3`."""
    rows = value if isinstance(value, tuple) else (value,)
    if len(rows) > 2:
        notes = ("a padding is `p1`, `p0x3` (height x width) or `p0:1` (begin:end)",)
        helps = (Respelling("`{}` leaves out the depth", value=_pads(rows[-2:])),) if len(rows) == 3 else ()
        raise Finding("E105", f"expected a padding, got {_shown(value)}", notes=notes, helps=helps)
    sides = [_ends(row) for row in rows]
    return (sides[0], sides[-1])


def _ends(row: Any) -> Pair:
    ends = row if isinstance(row, tuple) else (row,)
    if len(ends) > 2:
        raise Finding("E105", f"a padding has two ends, begin:end, not {len(ends)}")
    return (_index(ends[0]), _index(ends[-1]))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Finding("E105", f"expected yes or no, got {_shown(value)}")
    return value


def _volume(value: Any) -> bool:
    raise Finding("E105", f"expected a volume, got {_shown(value)}", notes=("a volume is given by its label: `@name`",))


def _word(value: Any) -> str:
    raise Finding("E105", f"expected a word, got {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        parts = [":".join(map(str, part)) if isinstance(part, tuple) else str(part) for part in value]
        return f"`{'x'.join(parts)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def order(item: tuple[str, Argument]) -> tuple[bool, bool]:
    """A sort key: counts first, then sizes, then what has a letter, then what has a name."""
    argument = item[1]
    if argument.is_positional:
        return False, argument.kind.takes_extent
    return True, argument.short is None


def written(value: Any, squeeze: bool = False) -> str:
    """An argument's value in the short form; `squeeze` writes 2x2 as 2.

    >>> written((3, 3)), written(((1, 1), (1, 1))), written(((0, 1), (0, 1))), written(((0, 0), (3, 3)))
    ('3x3', '1', '0:1', '0x3')
    """
    if not isinstance(value, tuple):
        return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)
    if not isinstance(value[0], tuple):
        return str(value[0]) if squeeze and value[0] == value[1] else f"{value[0]}x{value[1]}"
    rows = [str(begin) if begin == end else f"{begin}:{end}" for begin, end in value]
    return rows[0] if rows[0] == rows[1] else "x".join(rows)


def spelt(field: str, value: Any, argument: Argument) -> str:
    """An argument as a step writes it: `64`, `s2`, `nobias`; empty for a default, and for a volume, as labels are."""
    if value == argument.default:
        return ""
    word = next((word for word, meaning in argument.words if meaning == value), None)
    if word is not None:
        return word
    if isinstance(value, bool):
        return ""
    prefix = "" if argument.is_positional else argument.short or f"{field}="
    return prefix + written(value, squeeze=bool(prefix))


COUNT = Kind("a count", "64", _count)
INDEX = Kind("an index", "0", _index)
REAL = Kind("a number", "1e-6", _real)
VALUE = Kind("a number", "1", _real)
DEVIATION = Kind("a standard deviation", "0.02", _deviation)
PROBABILITY = Kind("a probability", "0.5", _probability)
PAIR = Kind("height x width", "3x3", _pair, takes_extent=True)
PADS = Kind("a padding", "1", _pads, takes_extent=True)
FLAG = Kind("yes or no", "", _flag)
WORD = Kind("a word", "", _word)
VOLUME = Kind("a volume", "@name", _volume)
