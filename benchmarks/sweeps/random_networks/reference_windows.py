"""Layers with a window, in numpy from their definitions in grammar/README.md: CONV, DWCONV, UPCONV, POOL, AVGPOOL.

In: a layer, its weights, a map [B, C, H, W]. Out: a map, and multiply-accumulates of one image. No code of the compiler
takes part but the parsed arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, Array]


def places(layer: Any, axis: int, size: int, width: int) -> list[int]:
    """Return where the windows of `width` pixels begin along an axis; below 0 in the padding."""
    begin, end = layer.pads[axis]
    stride = layer.stride[axis]
    count = (size + begin + end - width) // stride + 1
    if layer.rounding == "ceil":
        while (count - 1) * stride + width < size + begin + end and count * stride < size + begin:
            count += 1
    return [number * stride - begin for number in range(count)]


def windows(layer: Any, x: Array, outside: float, dilation: tuple[int, int] = (1, 1)) -> Array:
    """Return [B, C, rows, columns, window's rows, window's columns]; what is not on the map is `outside`."""
    picked = x
    for axis in (0, 1):
        taps = np.arange(layer.kernel[axis]) * dilation[axis]
        begins = np.array(places(layer, axis, x.shape[2 + axis], int(taps[-1]) + 1))
        index = begins[:, None] + taps
        moved = np.moveaxis(picked, 2 + 2 * axis, -1)
        inside = (index >= 0) & (index < moved.shape[-1])
        taken = np.where(inside, moved[..., np.clip(index, 0, moved.shape[-1] - 1)], outside)
        picked = np.moveaxis(taken, (-2, -1), (2 + 2 * axis, 3 + 2 * axis))
    return picked.transpose(0, 1, 2, 4, 3, 5)


def convolution(layer: Any, weights: Weights, x: Array, groups: int) -> tuple[Array, int]:
    """Each filter sees the channels of its group."""
    kernel = weights["weight"]
    filters, channels = kernel.shape[:2]
    seen = windows(layer, x, 0.0, layer.dilation)
    own = filters // groups
    parts = [
        np.einsum("bcyxij,fcij->bfyx", seen[:, g * channels : (g + 1) * channels], kernel[g * own : (g + 1) * own])
        for g in range(groups)
    ]
    y = np.concatenate(parts, axis=1)
    if "bias" in weights:
        y = y + weights["bias"][:, None, None]
    return y, y.shape[2] * y.shape[3] * kernel.size


def transposed_convolution(layer: Any, weights: Weights, x: Array) -> tuple[Array, int]:
    """Each pixel adds a weighted window to the output; the pads are cropped."""
    kernel = weights["weight"]
    (high, wide), (down, across) = layer.kernel, layer.stride
    batch, _, rows, columns = x.shape
    y = np.zeros((batch, kernel.shape[1], (rows - 1) * down + high, (columns - 1) * across + wide))
    for row in range(rows):
        for column in range(columns):
            painted = np.einsum("bc,cfij->bfij", x[:, :, row, column], kernel)
            y[:, :, row * down : row * down + high, column * across : column * across + wide] += painted
    (top, bottom), (left, right) = layer.pad
    y = y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]
    if "bias" in weights:
        y = y + weights["bias"][:, None, None]
    return y, rows * columns * kernel.size


def max_pool(layer: Any, x: Array) -> Array:
    """The largest pixel of each window."""
    found: Array = windows(layer, x, -np.inf).max(axis=(4, 5))
    return found


def average_pool(layer: Any, x: Array) -> Array:
    """The mean over the pixels of each window, and over the padding if `count_pad`."""
    total = windows(layer, x, 0.0).sum(axis=(4, 5))
    counts = []
    for axis in (0, 1):
        size, (begin, end) = x.shape[2 + axis], layer.pads[axis]
        first, last = (-begin, size + end) if layer.count_pad else (0, size)
        width = layer.kernel[axis]
        counts.append([min(at + width, last) - max(at, first) for at in places(layer, axis, size, width)])
    found: Array = total / (np.array(counts[0])[:, None] * np.array(counts[1]))
    return found
