"""A window that slides over pixels: the number of its positions, and hints if it does not fit.

In: a map and the numbers of a window. Out: positions along height and width, or a `Finding` with what would fit.
The formula is the lecture's: (W - F + 2P)/S + 1, with F = d*(k-1) + 1 for a dilation d.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.layers.arguments import Pads, Pair
from archspec.record import Record

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
            ends = "x".join(f"{total // 2}:{total - total // 2}" for total in totals)
            helps = (f"`p{ends}` instead puts the odd pixel at the end",)
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
    axes = zip(AXES, volume.spatial, widths, stride, pads, strict=True)
    high, wide = (_places(Axis(*axis), rounding) for axis in axes)
    return high, wide


def _places(axis: Axis, rounding: str) -> int:
    if axis.room < 0:
        raise _too_small(axis)
    places, left = divmod(axis.room, axis.stride)
    if rounding == "ceil" and left:
        # torch: the last window must begin on a pixel or on the padding before it
        return places + 2 if (places + 1) * axis.stride < axis.size + axis.pad[0] else places + 1
    if not rounding and left > axis.pad[1] and axis.width >= axis.stride:
        raise _misfit(axis, left)
    return places + 1


def size_formula(size: int, kernel: int, stride: int, pad: Pair, dilation: int = 1) -> str:
    """The formula with its numbers and what it gives: `(227 - 11 + 2*0)/4 + 1 = 55`."""
    width = dilation * (kernel - 1) + 1
    exact = f"{(size - width + sum(pad)) / stride + 1:.4f}".rstrip("0").rstrip(".")
    return f"{_formula(size, width, stride, pad)} = {exact}"


def _formula(size: int, width: int, stride: int, pad: Pair) -> str:
    pads = f"2*{pad[0]}" if pad[0] == pad[1] else f"{pad[0]} + {pad[1]}"
    return f"({size} - {width} + {pads})/{stride} + 1"


def _too_small(axis: Axis) -> Finding:
    size, width, pads = axis.size, axis.width, sum(axis.pad)
    message = f"a window {width} wide does not fit {plural(size, axis.name)}"
    note = f"{size} + {pads} of padding - {width} < 0"
    helps = (f"`p{(width - size + 1) // 2}` fits, and so does an input of at least {width - pads}",)
    return Finding("E202", message, notes=(note,), helps=helps)


def _misfit(axis: Axis, left: int) -> Finding:
    size, width, stride, pad = axis.size, axis.width, axis.stride, axis.pad
    message = f"a window {width} wide at stride {stride} does not fit {plural(size, axis.name)}"
    formula = size_formula(size, width, stride, pad)
    note = f"{formula}, which drops {plural(left - pad[1], axis.name)} of pixels"
    return Finding("E201", message, notes=(note,), helps=lambda: _what_fits(axis, left))


def _what_fits(axis: Axis, left: int) -> list[str]:
    size, width, stride = axis.size, axis.width, axis.stride
    places = axis.room // stride
    sizes = [(size - left, places + 1), (size - left + stride, places + 2)]
    helps = [" or ".join(f"{fit}x{fit} gives {gives}" for fit, gives in sizes if fit > 0)]
    fitting = next((p for p in range(min(width // 2, _LARGEST_PAD) + 1) if _fits(axis, p)), None)
    if fitting is not None:
        helps.append(f"`p{fitting}` on {size} gives {(size + 2 * fitting - width) // stride + 1}")
    return [*helps, "`floor` drops them on purpose, `ceil` pads the last window"]


def _fits(axis: Axis, pad: int) -> bool:
    """Whether a window with this pad on both sides drops only padding."""
    room = axis.size + 2 * pad - axis.width
    return room >= 0 and room % axis.stride <= pad
