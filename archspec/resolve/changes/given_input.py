"""The value of `--input`, or of `load(input=...)`.

In: text such as `384x384x3`, or numbers. Out: the volume.
"""

from __future__ import annotations

import re

from archspec.diagnostics.errors import ArchspecError, failure

EXAMPLE = ["384", "384", "3"]
_BRACKET = re.compile(r"^ *\[(\d+(?: *[x×] *\d+)*)\]", re.MULTILINE)


def volume_of(given: tuple[int, ...] | int | str, text: str) -> tuple[int, ...]:
    """Return the sizes of an input. Raises ArchspecError, if they are not a volume; `text` is the spec's."""
    sizes = (given,) if isinstance(given, int) else given
    parts = sizes.replace("×", "x").split("x") if isinstance(sizes, str) else [str(size) for size in sizes]
    if not 1 <= len(parts) <= 3 or not all(map(_is_size, parts)):
        raise _no_volume(sizes if isinstance(sizes, str) else "x".join(parts), text)
    return tuple(int(part) for part in parts)


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _no_volume(given: str, text: str) -> ArchspecError:
    """Return the error for an `--input` that is not a volume; its numbers, if it has any, with `x` between them."""
    like = _BRACKET.search(text)
    example = re.findall(r"\d+", like[1]) if like else EXAMPLE
    sizes = re.split(r"[\s,;*xX×]+", given.strip(" ()[]"))
    helps = (f"`--input {'x'.join(sizes if 0 < len(sizes) <= 3 and all(map(_is_size, sizes)) else example)}`",)
    notes = ("an input is height x width x channels",)
    return failure("E117", f"`--input {given}` is not a volume", notes=notes, helps=helps)
