"""MHSA: softmax(Q K^T / sqrt(d)) V for each head, over a sequence or within the windows of a map.

Both are attention over [B, groups..., N, C]: a sequence has no groups, a map one for each window. A shifted map is
rolled, so that its windows are where the unshifted ones were; pixels that only the roll brought into one window do not
see each other.
"""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.linear import product
from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.step import Array, Step
from archspec.layers.attention import Attention


@emits(Attention)
def attention(step: Step) -> str:
    """Attention over a sequence, or over windows that are cut out and put back."""
    if step.layer.window is None:
        return _attend(step, step.x, tuple(step.volume[:1]), ())
    height, width, channels = step.volume
    side = step.layer.window
    down, right = step.layer.shifts(step.volume)
    high, wide = height // side, width // side
    pixels = _rolled(step, step.transpose(step.x, 0, 2, 3, 1), -down, -right)
    tiles = step.transpose(step.reshape(pixels, 0, high, side, wide, side, channels), 0, 1, 3, 2, 4, 5)
    windows = step.reshape(tiles, 0, high * wide, side * side, channels)
    seen = _attend(step, windows, (high * wide, side * side), _added(step))
    tiles = step.transpose(step.reshape(seen, 0, high, wide, side, side, channels), 0, 1, 3, 2, 4, 5)
    pixels = _rolled(step, step.reshape(tiles, 0, height, width, channels), down, right)
    return step.transpose(pixels, 0, 3, 1, 2)


def _attend(step: Step, x: str, places: tuple[int, ...], added: tuple[str, ...]) -> str:
    """[B, *places, C]; `added` are constants that the scores get."""
    channels, heads = step.volume.channels, step.layer.heads
    size, last = channels // heads, len(places) + 2
    apart = (*range(last - 2), last - 1, last - 2, last)  # heads before the places that they compare
    transposed = (*range(last - 2), last - 1, last, last - 2)
    qkv = product(step, x, "qkv.weight", "qkv.bias")
    split = step.ops("Split", qkv, step.integers("sizes", *[channels] * 3), outputs=3, axis=last - 1)
    q, k, v = (step.reshape(part, 0, *places, heads, size) for part in split)
    q = step.op("Mul", step.transpose(q, *apart), step.scalar("scale", size**-0.5))
    scores = step.op("MatMul", q, step.transpose(k, *transposed))
    for constant in added:
        scores = step.op("Add", scores, constant)
    mixed = step.op("MatMul", step.op("Softmax", scores, axis=-1), step.transpose(v, *apart))
    joined = step.reshape(step.transpose(mixed, *apart), 0, *places, channels)
    return product(step, joined, "proj.weight", "proj.bias")


def _rolled(step: Step, x: str, down: int, right: int) -> str:
    """[B, H, W, C] rolled along its height and width."""
    for axis, name, by, size in ((1, "rows", down, step.volume[0]), (2, "columns", right, step.volume[1])):
        if by:
            order = np.roll(np.arange(size), by)
            x = step.op("Gather", x, step.constant(f"{name}{by:+}", order), axis=axis)
    return x


def _added(step: Step) -> tuple[str, ...]:
    """The bias of relative positions, [heads, N, N], and the mask of a shift, [windows, 1, N, N]."""
    constants = []
    if step.layer.relpos:
        table = step.array("relative_position_bias_table")
        constants.append(step.constant("relative_position_bias", relative_bias(table, step.layer.window)))
    if any(step.layer.shifts(step.volume)):
        constants.append(step.constant("mask", shift_mask(step)))
    return tuple(constants)


def relative_bias(table: Array, side: int) -> Array:
    """The table's row for each pair of pixels, by how far apart they are: (dy + M-1)*(2M-1) + dx + M-1."""
    places = np.indices((side, side)).reshape(2, -1)
    apart = places[:, :, None] - places[:, None, :] + side - 1
    rows: Array = table[apart[0] * (2 * side - 1) + apart[1]]
    return rows.transpose(2, 0, 1)


def shift_mask(step: Step) -> Array:
    """Minus infinity where two pixels of a rolled window come from different sides of the map."""
    side, sizes = step.layer.window, step.volume.spatial
    regions = []
    for size, shift in zip(sizes, step.layer.shifts(step.volume), strict=True):
        wrapped = np.arange(size) >= size - shift  # after rolling, these came from the front
        regions.append(wrapped.reshape(-1, side))
    rows, columns = regions
    region = 2 * rows[:, None, :, None] + columns[None, :, None, :]
    region = region.reshape(len(rows) * len(columns), 1, side * side)
    apart = region[..., :, None] != region[..., None, :]
    return np.where(apart, np.float32(-np.inf), np.float32(0))
