"""Requirements on the volume that enters a layer, and their error messages.

In: a volume or the counts that a layer divides. Out: None, or a `Finding` with both numbers and a hint.
"""

from __future__ import annotations

from math import gcd

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.layers.arguments import Respelling, written

_WIDEST_SEARCH = 2**16  # numbers of a spec go up to 2^63


def need_map(volume: Volume, keyword: str, helps: tuple[str, ...] = ()) -> Volume:
    """Return the volume if it has a height and a width."""
    if not volume.is_map:
        if len(volume) == 1 and not helps:
            helps = ("put it before the volume is flattened (FC and GAP output a vector)",)
        message = f"{keyword} needs a map, [HxWxC], got the {volume.kind} {volume}"
        raise Finding("E204", message, helps=helps)
    return volume


def need_sequence(volume: Volume, keyword: str) -> Volume:
    """Return the volume if it is a sequence of vectors."""
    if len(volume) != 2:
        helps = (Respelling("`{}` turns the map into a sequence of pixels", "TOKENS -> {}"),) if volume.is_map else ()
        message = f"{keyword} needs a sequence, [NxC], got the {volume.kind} {volume}"
        raise Finding("E204", message, helps=helps)
    return volume


def need_divisor(divisor: int, noun: str, counts: dict[str, int]) -> None:
    """Raise unless `divisor`, the field `noun` of a layer, divides all `counts`, named in the singular.

    >>> need_divisor(3, "groups", {"channel": 64, "filter": 96})
    Traceback (most recent call last):
    archspec.diagnostics.Finding: 3 groups do not divide 64 channels
    """
    for name, number in counts.items():
        if number % divisor:
            fit = largest_divisor(gcd(*counts.values()), divisor)
            numbers = [str(count) for count in counts.values()]
            all_of_them = f"both {' and '.join(numbers)}" if len(numbers) > 1 else numbers[0]
            helps: tuple[str, ...] = (Respelling(f"`{{}}`: {fit} divides {all_of_them}", "{}", **{noun: fit}),)
            if noun == "groups":
                helps += (Respelling("`{}` has no groups", "{}", groups=None),)
            raise Finding("E203", f"{divisor} {noun} do not divide {plural(number, name)}", helps=helps)


def largest_divisor(number: int, most: int) -> int:
    """The largest divisor of `number` up to `most`."""
    return next(d for d in range(min(number, most, _WIDEST_SEARCH), 0, -1) if number % d == 0)


def need_tiles(volume: Volume, tile: int, noun: str, helps: tuple[str, ...] = ()) -> None:
    """Raise unless squares of `tile` pixels cover the map exactly."""
    for size, axis in zip(volume.spatial, ("row", "column"), strict=True):
        if size % tile:
            note = f"{size} % {tile} = {size % tile}: {plural(size % tile, axis)} left over"
            message = f"{noun} of {tile}x{tile} do not tile {volume}"
            raise Finding("E203", message, notes=(note,), helps=helps)


def pad_to_tiles(volume: Volume, tile: int) -> Respelling:
    """The proposal that pads a map at its end until squares of `tile` pixels cover it."""
    down, right = (-size % tile for size in volume.spatial)
    padded = Volume((volume[0] + down, volume[1] + right, volume.channels))
    return Respelling(f"`{{}}` pads it to {padded}", f"PAD p{written(((0, down), (0, right)))} -> {{}}")
