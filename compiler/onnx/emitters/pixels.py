"""Layers that move pixels: SPACE2DEPTH, SHIFT, PAD, UPSAMPLE."""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.emitters.windows import onnx_pads, pad
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.conv import Conv, DepthwiseConv
from archspec.layers.pixels import Pad, Shift, SpaceToDepth, Upsample
from archspec.layers.pool import AvgPool

FUSABLE = (Conv, DepthwiseConv, AvgPool)  # zeros around a map are zeros in their sums too


@emits(SpaceToDepth)
def space_to_depth(writer: NodeWriter) -> str:
    """SpaceToDepth, which reads a block row by row; by columns, a Transpose between two Reshapes."""
    n = writer.layer.block
    if writer.layer.order == "rows":
        return writer.op("SpaceToDepth", writer.x, blocksize=n)
    height, width, channels = writer.volume
    blocks = writer.reshape(writer.x, 0, channels, height // n, n, width // n, n)
    return writer.reshape(writer.transpose(blocks, 0, 5, 3, 1, 2, 4), 0, n * n * channels, height // n, width // n)


@emits(Shift)
def shift(writer: NodeWriter) -> str:
    """Each quarter of the channels reads the pixel above, below, to the left, to the right."""
    height, width, channels = writer.volume
    rows, columns = np.arange(height), np.arange(width)
    moves = (
        ("down", 2, np.maximum(rows - 1, 0)),
        ("up", 2, np.minimum(rows + 1, height - 1)),
        ("right", 3, np.maximum(columns - 1, 0)),
        ("left", 3, np.minimum(columns + 1, width - 1)),
    )
    quarters = writer.ops("Split", writer.x, writer.integers("sizes", *[channels // 4] * 4), outputs=4, axis=1)
    moved = [
        writer.op("Gather", quarter, writer.constant(name, places), axis=axis)
        for quarter, (name, axis, places) in zip(quarters, moves, strict=True)
    ]
    return writer.op("Concat", *moved, axis=1)


@emits(Pad)
def zeros_around(writer: NodeWriter) -> str:
    """Pad of four dimensions, which onnxruntime fuses into a CONV or AVGPOOL that follows; otherwise of five.

    onnxruntime fuses a Pad into a MaxPool too, whose own padding is minus infinity (ARCHITECTURE.md).
    """
    if writer.readers and all(isinstance(reader, FUSABLE) for reader in writer.readers):
        return pad(writer, writer.x, writer.layer.pad)
    top, left, bottom, right = onnx_pads(writer.layer.pad)
    axis = writer.integers("axis", 1)
    pads = writer.integers("pads", 0, 0, 0, top, left, 0, 0, 0, bottom, right)
    return writer.op("Squeeze", writer.op("Pad", writer.op("Unsqueeze", writer.x, axis), pads), axis)


@emits(Upsample)
def upsample(writer: NodeWriter) -> str:
    """Resize: each pixel repeated, or bilinear with pixels as squares (torch's align_corners=False)."""
    n = writer.layer.factor
    scales = writer.numbers("scales", 1, 1, n, n)
    if writer.layer.mode == "nearest":
        where = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        where = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return writer.op("Resize", writer.x, "", scales, **where)
