"""MHSA: softmax(Q K^T / sqrt(d)) V for each head, over sequences or within the windows or grids of a map.

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
    """Attention over sequences, or over windows or grids that are cut out and put back."""
    side = writer.layer.side
    if side is None:
        return _attend(writer, writer.x, tuple(writer.volume[:1]), _causal(writer))
    height, width, channels = writer.volume
    down, right = writer.layer.shifts(writer.volume)
    high, wide = height // side, width // side
    apart, order, back = (high, side, wide, side), (0, 1, 3, 2, 4, 5), (0, 1, 3, 2, 4, 5)
    if writer.layer.grid:
        apart, order, back = (side, high, side, wide), (0, 2, 4, 1, 3, 5), (0, 3, 1, 4, 2, 5)
    pixels = _rolled(writer, writer.transpose(writer.x, 0, 2, 3, 1), -down, -right)
    tiles = writer.transpose(writer.reshape(pixels, 0, *apart, channels), *order)
    windows = writer.reshape(tiles, 0, high * wide, side * side, channels)
    seen = _attend(writer, windows, (high * wide, side * side), _added(writer))
    tiles = writer.transpose(writer.reshape(seen, 0, high, wide, side, side, channels), *back)
    pixels = _rolled(writer, writer.reshape(tiles, 0, height, width, channels), down, right)
    return writer.transpose(pixels, 0, 3, 1, 2)


def _attend(writer: NodeWriter, x: str, places: tuple[int, ...], added: tuple[str, ...]) -> str:
    """[B, *places, C]; `added` are constants that the scores get."""
    layer = writer.layer
    width = layer.width or writer.volume.channels
    size, last = width // layer.heads, len(places) + 2
    apart = (*range(last - 2), last - 1, last - 2, last)  # heads before the places that they compare
    transposed = (*range(last - 2), last - 1, last, last - 2)
    told = (*places[:-1], writer.volumes[-1][0]) if layer.given else places
    each = zip(_projected(writer, x, width, axis=last - 1), (places, told, told), strict=True)
    q, k, v = (writer.reshape(part, 0, *where, layer.heads, size) for part, where in each)
    q = writer.op("Mul", writer.transpose(q, *apart), writer.scalar("scale", size**-0.5))
    scores = writer.op("MatMul", q, writer.transpose(k, *transposed))
    for constant in added:
        scores = writer.op("Add", scores, constant)
    mixed = writer.op("MatMul", writer.op("Softmax", scores, axis=-1), writer.transpose(v, *apart))
    joined = writer.reshape(writer.transpose(mixed, *apart), 0, *places, width)
    return _product(writer, joined, "proj")


def _projected(writer: NodeWriter, x: str, width: int, axis: int) -> tuple[str, ...]:
    """Queries, keys and values, side by side in one product if they come from one sequence."""
    given = dict(zip(writer.layer.given, writer.inputs[1:], strict=True))
    if not given:
        return _split(writer, _product(writer, x, "qkv"), [width] * 3, axis)
    queries = _product(writer, x, "q")
    if "kv" in given:
        return queries, *_split(writer, _product(writer, given["kv"], "kv"), [width] * 2, axis)
    return queries, *(_product(writer, given[word], word) for word in ("k", "v"))


def _split(writer: NodeWriter, x: str, sizes: list[int], axis: int) -> tuple[str, ...]:
    return writer.ops("Split", x, writer.integers("sizes", *sizes), outputs=len(sizes), axis=axis)


def _product(writer: NodeWriter, x: str, matrix: str) -> str:
    """One of the layer's matrices, with its bias if it has one."""
    has_bias = any(tensor.name == f"{matrix}.bias" for tensor in writer.layer.tensors(writer.volumes))
    return product(writer, x, f"{matrix}.weight", f"{matrix}.bias" if has_bias else "")


def _causal(writer: NodeWriter) -> tuple[str, ...]:
    """Minus infinity for the vectors after each."""
    if not writer.layer.causal:
        return ()
    later = np.triu(np.ones((writer.volume[0], writer.volume[0]), dtype=bool), 1)
    mask = np.where(later, np.float32(-np.inf), np.float32(0))
    return (writer.common(f"causal_mask_{len(mask)}", mask),)


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
        bias = relative_bias(writer.array(TABLE), writer.layer.side)
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
