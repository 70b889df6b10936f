"""The changes of the command line, or of `archspec.load`, as they are given.

In: texts such as `384x384x3`, numbers, names. Out: `Overrides`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from archspec.diagnostics.errors import ArchspecError, failure
from archspec.resolve.declarations import Overrides

InputChange: TypeAlias = Sequence[int] | str | Mapping[str, Sequence[int] | str] | None
EXAMPLE = ["384", "384", "3"]
_BRACKET = re.compile(r"^ *\[(\d+(?: *[x×] *\d+)*)\]", re.MULTILINE)


def given(
    input: InputChange,
    classes: int | None,
    variant: str | None,
    values: Mapping[str, object],
    text: str,
) -> Overrides:
    """Return the changes; `text` is the spec's, whose input is an example of one. Raises ArchspecError."""
    named = input if isinstance(input, Mapping) else {}
    inputs = tuple((name, _volume(sizes, text, f"{name}=")) for name, sizes in named.items())
    volume = None if input is None or isinstance(input, Mapping) else _volume(input, text)
    if classes is not None and not (type(classes) is int and 0 < classes < 2**31):
        raise failure("E117", f"`--classes {classes}`: expected a number from 1 to {2**31 - 1}")
    return Overrides(volume, classes, tuple(values.items()), None if variant is None else str(variant), inputs)


def _volume(given: Sequence[int] | int | str, text: str, name: str = "") -> tuple[int, ...]:
    """Return the sizes of an input. Raises ArchspecError, if they are not a volume; `text` is the spec's."""
    sizes = (given,) if isinstance(given, int) else given
    parts = sizes.replace("×", "x").split("x") if isinstance(sizes, str) else [str(size) for size in sizes]
    if not 1 <= len(parts) <= 3 or not all(map(_is_size, parts)):
        raise _no_volume(sizes if isinstance(sizes, str) else "x".join(parts), text, name)
    return tuple(int(part) for part in parts)


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _no_volume(given: str, text: str, name: str) -> ArchspecError:
    """Return the error for an `--input` that is not a volume; its numbers, if it has any, with `x` between them."""
    like = _BRACKET.search(text)
    example = re.findall(r"\d+", like[1]) if like else EXAMPLE
    sizes = re.split(r"[\s,;*xX×]+", given.strip(" ()[]"))
    helps = (f"`--input {name}{'x'.join(sizes if 0 < len(sizes) <= 3 and all(map(_is_size, sizes)) else example)}`",)
    notes = ("an input is height x width x channels",)
    return failure("E117", f"`--input {name}{given}` is not a volume", notes=notes, helps=helps)
