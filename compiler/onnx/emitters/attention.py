"""MHSA: softmax(Q K^T / sqrt(d)) V for each head, over a sequence or within the windows of a map.

Both are attention over [B, groups..., N, C]: a sequence has no groups, a map one for each window. A shifted map is
rolled, so that its windows are where the unshifted ones were; pixels that only the roll brought into one window do not
see each other.
"""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.linear import product
from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.names.parameters import Array
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.attention import Attention

TABLE = "relative_position_bias_table"


@emits(Attention)
def attention(writer: NodeWriter) -> str:
    """Attention over a sequence, or over windows that are cut out and put back."""
    if writer.layer.window is None:
        return _attend(writer, writer.x, tuple(writer.volume[:1]), ())
    height, width, channels = writer.volume
    side = writer.layer.window
    down, right = writer.layer.shifts(writer.volume)
    high, wide = height // side, width // side
    pixels = _rolled(writer, writer.transpose(writer.x, 0, 2, 3, 1), -down, -right)
    tiles = writer.transpose(writer.reshape(pixels, 0, high, side, wide, side, channels), 0, 1, 3, 2, 4, 5)
    windows = writer.reshape(tiles, 0, high * wide, side * side, channels)
    seen = _attend(writer, windows, (high * wide, side * side), _added(writer))
    tiles = writer.transpose(writer.reshape(seen, 0, high, wide, side, side, channels), 0, 1, 3, 2, 4, 5)
    pixels = _rolled(writer, writer.reshape(tiles, 0, height, width, channels), down, right)
    return writer.transpose(pixels, 0, 3, 1, 2)


def _attend(writer: NodeWriter, x: str, places: tuple[int, ...], added: tuple[str, ...]) -> str:
    """[B, *places, C]; `added` are constants that the scores get."""
    channels, heads = writer.volume.channels, writer.layer.heads
    size, last = channels // heads, len(places) + 2
    apart = (*range(last - 2), last - 1, last - 2, last)  # heads before the places that they compare
    transposed = (*range(last - 2), last - 1, last, last - 2)
    qkv = product(writer, x, "qkv.weight", "qkv.bias")
    split = writer.ops("Split", qkv, writer.integers("sizes", *[channels] * 3), outputs=3, axis=last - 1)
    q, k, v = (writer.reshape(part, 0, *places, heads, size) for part in split)
    q = writer.op("Mul", writer.transpose(q, *apart), writer.scalar("scale", size**-0.5))
    scores = writer.op("MatMul", q, writer.transpose(k, *transposed))
    for constant in added:
        scores = writer.op("Add", scores, constant)
    mixed = writer.op("MatMul", writer.op("Softmax", scores, axis=-1), writer.transpose(v, *apart))
    joined = writer.reshape(writer.transpose(mixed, *apart), 0, *places, channels)
    return product(writer, joined, "proj.weight", "proj.bias")


def _rolled(writer: NodeWriter, x: str, down: int, right: int) -> str:
    """[B, H, W, C] rolled along its height and width."""
    for axis, name, by, size in ((1, "rows", down, writer.volume[0]), (2, "columns", right, writer.volume[1])):
        if by:
            order = np.roll(np.arange(size), by)
            x = writer.op("Gather", x, writer.constant(f"{name}{by:+}", order), axis=axis)
    return x


def _added(writer: NodeWriter) -> tuple[str, ...]:
    """The bias of relative positions, [heads, N, N], and the mask of a shift, [windows, 1, N, N]."""
    constants = []
    if writer.layer.relpos:
        bias = relative_bias(writer.array(TABLE), writer.layer.window)
        constants.append(writer.constant("relative_position_bias", bias, made_of=(TABLE,)))
    if any(writer.layer.shifts(writer.volume)):
        constants.append(writer.constant("mask", shift_mask(writer)))
    return tuple(constants)


def relative_bias(table: Array, side: int) -> Array:
    """The table's row for each pair of pixels, by how far apart they are: (dy + M-1)*(2M-1) + dx + M-1."""
    places = np.indices((side, side)).reshape(2, -1)
    apart = places[:, :, None] - places[:, None, :] + side - 1
    rows: Array = table[apart[0] * (2 * side - 1) + apart[1]]
    return rows.transpose(2, 0, 1)


def shift_mask(writer: NodeWriter) -> Array:
    """Minus infinity where two pixels of a rolled window come from different sides of the map."""
    side, sizes = writer.layer.window, writer.volume.spatial
    regions = []
    for size, shift in zip(sizes, writer.layer.shifts(writer.volume), strict=True):
        wrapped = np.arange(size) >= size - shift  # after rolling, these came from the front
        regions.append(wrapped.reshape(-1, side))
    rows, columns = regions
    region = 2 * rows[:, None, :, None] + columns[None, :, None, :]
    region = region.reshape(len(rows) * len(columns), 1, side * side)
    apart = region[..., :, None] != region[..., None, :]
    return np.where(apart, np.float32(-np.inf), np.float32(0))
