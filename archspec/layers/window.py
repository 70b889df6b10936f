"""A window that slides over pixels: the number of its positions, and hints if it does not fit.

In: a map and the numbers of a window. Out: positions along height and width, or a `Finding` with what would fit.
The formula is the lecture's: (W - F + 2P)/S + 1, with F = d*(k-1) + 1 for a dilation d.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.layers.arguments import Pads, Pair, Respelling
from archspec.record import Record, replace

AXES = ("row", "column")
NO_PADS: Pads = ((0, 0), (0, 0))
SAME = (("same", "same"),)
ROUNDING = (("floor", "floor"), ("ceil", "ceil"))
_LARGEST_PAD = 64  # in a hint
ROUNDING_DOC = "`floor` drops the pixels after the last window, `ceil` adds a window for them"


class Axis(Record):
    """A window along one axis: `size` pixels, windows of F = `width` at every `stride`, pads at both ends."""

    name: str
    size: int
    width: int
    stride: int
    pad: Pair

    @property
    def room(self) -> int:
        """How far the window can slide: W - F + 2P."""
        return self.size + sum(self.pad) - self.width


def padding(pad: Pads | str, kernel: Pair, dilation: Pair) -> Pads:
    """The pads; `same` keeps the size at stride 1: d*(k-1)/2 on both sides of an odd kernel."""
    if not isinstance(pad, str):
        return pad
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    for size in kernel:
        if size % 2 == 0:
            ends = tuple((total // 2, total - total // 2) for total in totals)
            helps = (Respelling("`{}` puts the odd pixel at the end", pad=ends),)
            raise Finding("E205", f"`same` needs an odd kernel, and {size} is even", helps=helps)
    high, wide = (total // 2 for total in totals)
    return ((high, high), (wide, wide))


def slide(  # noqa: PLR0913, PLR0917  # the numbers of a window, in the order of the formula
    volume: Volume, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair, rounding: str
) -> Pair:
    """The number of positions of the window along height and width.

    `rounding` is "floor", "ceil", or "" if the spec does not say: then dropping padding is allowed and
    dropping pixels is an error. Raises `Finding` for that, and for a window larger than the map and its pads.
    """
    widths = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    high, wide = map(Axis, AXES, volume.spatial, widths, stride, pads)
    rows, columns = _places(high, rounding), _places(wide, rounding)
    if rows is None or columns is None:
        raise _too_small((high, wide), dilation) if min(high.room, wide.room) < 0 else _misfit((high, wide))
    return rows, columns


def _places(axis: Axis, rounding: str) -> int | None:
    """The number of positions; None if the window does not fit."""
    if axis.room < 0:
        return None
    places, left = divmod(axis.room, axis.stride)
    if rounding == "ceil" and left:
        # torch: the last window must begin on a pixel or on the padding before it
        return places + 2 if (places + 1) * axis.stride < axis.size + axis.pad[0] else places + 1
    if not rounding and left > axis.pad[1] and axis.width >= axis.stride:
        return None
    return places + 1


def size_formula(size: int, kernel: int, stride: int, pad: Pair, dilation: int = 1) -> str:
    """The formula with its numbers and what it gives: `(227 - 11 + 2*0)/4 + 1 = 55`."""
    width = dilation * (kernel - 1) + 1
    exact = f"{(size - width + sum(pad)) / stride + 1:.4f}".rstrip("0").rstrip(".")
    return f"{_formula(size, width, stride, pad)} = {exact}"


def _formula(size: int, width: int, stride: int, pad: Pair) -> str:
    pads = f"2*{pad[0]}" if pad[0] == pad[1] else f"{pad[0]} + {pad[1]}"
    return f"({size} - {width} + {pads})/{stride} + 1"


def _too_small(axes: tuple[Axis, Axis], dilation: Pair) -> Finding:
    """The finding for a window larger than a map and its pads."""
    small = [axis for axis in axes if axis.room < 0]
    notes = [f"{axis.size} + {sum(axis.pad)} of padding - {axis.width} < 0" for axis in small if any(axis.pad)]
    message = f"a window {small[0].width} wide does not fit {plural(small[0].size, small[0].name)}"

    def helps() -> list[str]:
        if dilation != (1, 1):
            return [*_other_pads(axes), *_proposals(_undilated(axes, dilation), dilation=None)]
        smaller = [replace(axis, width=min(axis.width, axis.size + sum(axis.pad))) for axis in axes]
        return [*_other_pads(axes), *_proposals(smaller, kernel=tuple(axis.width for axis in smaller))]

    return Finding("E202", message, notes=dict.fromkeys(notes), helps=helps)


def _misfit(axes: tuple[Axis, Axis]) -> Finding:
    """The finding for a window whose last place would drop pixels of the map."""
    wrong = [axis for axis in axes if _places(axis, "") is None]
    notes: dict[str, str] = {}
    for axis in wrong:
        formula = size_formula(axis.size, axis.width, axis.stride, axis.pad)
        dropped = plural(axis.room % axis.stride - axis.pad[1], axis.name)
        notes.setdefault(formula, f"{formula}, which drops {dropped} of pixels")
    first = wrong[0]
    message = f"a window {first.width} wide at stride {first.stride} does not fit {plural(first.size, first.name)}"

    def helps() -> list[str]:
        rounded = [help for way in ("floor", "ceil") for help in _proposals(axes, rounding=way)]
        pads = _other_pads(axes)
        return [*pads[:1], *rounded, *pads[1:]]

    return Finding("E201", message, notes=notes.values(), helps=helps)


def _undilated(axes: Sequence[Axis], dilation: Pair) -> list[Axis]:
    return [replace(axis, width=(axis.width - 1) // d + 1) for axis, d in zip(axes, dilation, strict=True)]


def _other_pads(axes: Sequence[Axis]) -> list[str]:
    """Proposals of other pads with which the window fits along both axes; the same on all sides if it is square."""
    high, wide = (_pads_that_fit(axis) for axis in axes)
    common = [(pad, pad) for pad in high if pad in wide]
    single = [(high[0], wide[0])] if high and wide else []
    is_square = axes[0].width == axes[1].width and axes[0].stride == axes[1].stride
    pads = [*common[:2], *single] if is_square else [*single, *common[:1]]
    padded = {pair: [replace(axis, pad=pad) for axis, pad in zip(axes, pair, strict=True)] for pair in pads}
    return [help for pair, changed in padded.items() for help in _proposals(changed, pad=pair)]


def _pads_that_fit(axis: Axis) -> list[Pair]:
    """Pads with which the window fits along an axis: the present one, or up to half of the window on both sides."""
    pads = [axis.pad, *((pad, pad) for pad in range(min(axis.width // 2, _LARGEST_PAD) + 1))]
    return [pad for pad in dict.fromkeys(pads) if _places(replace(axis, pad=pad), "") is not None]


def _proposals(axes: Sequence[Axis], **fields: Any) -> list[str]:
    """The proposal of other fields, if the window then fits."""
    rows, columns = (_places(axis, fields.get("rounding", "")) for axis in axes)
    return [] if rows is None or columns is None else [Respelling(f"`{{}}` gives {rows}x{columns}", **fields)]
