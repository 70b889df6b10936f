"""A window that slides over pixels: how many places it has, and what to do when it does not fit.

The formula is the lecture's: (W - F + 2P)/S + 1, with F = d*(k-1) + 1 for a dilation d.
"""

from __future__ import annotations

from archspec.diagnostics import Finding, plural
from archspec.layers.arguments import Pair, Pads
from archspec.volume import Volume

AXES = ("row", "column")
NO_PADS: Pads = ((0, 0), (0, 0))
SAME = (("same", "same"),)
ROUNDING = (("floor", "floor"), ("ceil", "ceil"))
ROUNDING_DOC = "`floor` drops the pixels that the last window leaves, `ceil` adds a window for them"


def padding(pad: Pads | str, kernel: Pair, dilation: Pair) -> Pads:
    """The pads; `same` keeps the size at stride 1: d*(k-1)/2 on both sides of an odd kernel."""
    if not isinstance(pad, str):
        return pad
    for size in kernel:
        if size % 2 == 0:
            helps = (f"give the pad: p{(size - 1) // 2}:{size // 2} puts the odd pixel at the end",)
            raise Finding("E205", f"`same` needs an odd kernel, and {size} is even", helps=helps)
    high, wide = (d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return ((high, high), (wide, wide))


def slide(volume: Volume, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair, rounding: str) -> Pair:
    """The places of the window along height and width.

    `rounding` is "floor", "ceil", or "" where the spec does not say: then dropping padding is fine and dropping
    pixels an error.
    """
    places = [
        _places(size, k, s, pad, d, rounding, axis)
        for size, k, s, pad, d, axis in zip(volume.spatial, kernel, stride, pads, dilation, AXES, strict=True)
    ]
    return places[0], places[1]


def _places(size: int, kernel: int, stride: int, pad: Pair, dilation: int, rounding: str, axis: str) -> int:
    width = dilation * (kernel - 1) + 1
    room = size + sum(pad) - width
    if room < 0:
        raise _too_small(size, width, pad, axis)
    places, left = divmod(room, stride)
    if rounding == "ceil" and left:
        # torch: the last window must begin on a pixel or on the padding before it
        return places + 2 if (places + 1) * stride < size + pad[0] else places + 1
    if not rounding and left > pad[1] and width >= stride:
        raise _misfit(size, width, stride, pad, left - pad[1], axis)
    return places + 1


def size_formula(size: int, kernel: int, stride: int, pad: Pair, dilation: int = 1) -> str:
    """The formula with its numbers and what it gives: `(227 - 11 + 2*0)/4 + 1 = 55`."""
    width = dilation * (kernel - 1) + 1
    exact = f"{(size - width + sum(pad)) / stride + 1:.4f}".rstrip("0").rstrip(".")
    return f"{_formula(size, width, stride, pad)} = {exact}"


def _formula(size: int, width: int, stride: int, pad: Pair) -> str:
    pads = f"2*{pad[0]}" if pad[0] == pad[1] else f"{pad[0]} + {pad[1]}"
    return f"({size} - {width} + {pads})/{stride} + 1"


def _too_small(size: int, width: int, pad: Pair, axis: str) -> Finding:
    missing = width - size - sum(pad)
    message = f"a window {width} wide does not fit {plural(size, axis)}"
    formula = f"{size} + {sum(pad)} of padding - {width} < 0"
    fits = (f"pad {pad[0] + (missing + 1) // 2} fits, and so does an input of {size + missing} or more",)
    return Finding("E202", message, notes=(formula,), helps=fits)


def _misfit(size: int, width: int, stride: int, pad: Pair, dropped: int, axis: str) -> Finding:
    message = f"a window {width} wide at stride {stride} does not fit {plural(size, axis)}"
    note = f"{size_formula(size, width, stride, pad)}, which drops {plural(dropped, axis)} of pixels"
    over = (size + sum(pad) - width) % stride
    sizes = [fit for fit in (size - over, size + stride - over) if fit + sum(pad) >= width and fit > 0]
    near = " or ".join(f"{fit}x{fit} gives {(fit + sum(pad) - width) // stride + 1}" for fit in sizes)
    fit_pad = next((p for p in range(width) if (size + 2 * p - width) % stride <= p and p not in pad), None)
    helps = [near]
    if fit_pad is not None:
        helps.append(f"`p{fit_pad}` on {size} gives {(size + 2 * fit_pad - width) // stride + 1}")
    helps.append("`floor` drops them on purpose, `ceil` pads the last window")
    return Finding("E201", message, notes=(note,), helps=tuple(helps))
