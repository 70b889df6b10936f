"""Layers that move pixels about: SPACE2DEPTH, SHIFT, PAD, UPSAMPLE."""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.emitters.windows import pad
from archspec.compiler.onnx.step import Step
from archspec.layers.pixels import Pad, Shift, SpaceToDepth, Upsample


@emits(SpaceToDepth)
def space_to_depth(step: Step) -> str:
    """SpaceToDepth, which takes a block row by row; by columns, its dimensions change places."""
    n = step.layer.block
    if step.layer.order == "rows":
        return step.op("SpaceToDepth", step.x, blocksize=n)
    height, width, channels = step.volume
    blocks = step.reshape(step.x, 0, channels, height // n, n, width // n, n)
    return step.reshape(step.transpose(blocks, 0, 5, 3, 1, 2, 4), 0, n * n * channels, height // n, width // n)


@emits(Shift)
def shift(step: Step) -> str:
    """Each quarter of the channels reads its neighbours: above, below, to the left, to the right."""
    height, width, channels = step.volume
    rows, columns = np.arange(height), np.arange(width)
    moves = (
        ("down", 2, np.maximum(rows - 1, 0)),
        ("up", 2, np.minimum(rows + 1, height - 1)),
        ("right", 3, np.maximum(columns - 1, 0)),
        ("left", 3, np.minimum(columns + 1, width - 1)),
    )
    quarters = step.ops("Split", step.x, step.integers("sizes", *[channels // 4] * 4), outputs=4, axis=1)
    moved = [
        step.op("Gather", quarter, step.constant(name, places), axis=axis)
        for quarter, (name, axis, places) in zip(quarters, moves, strict=True)
    ]
    return step.op("Concat", *moved, axis=1)


@emits(Pad)
def zeros_around(step: Step) -> str:
    """Zeros around the map."""
    return pad(step, step.x, step.layer.pad)


@emits(Upsample)
def upsample(step: Step) -> str:
    """Resize: each pixel repeated, or bilinear with pixels as squares (torch's align_corners=False)."""
    n = step.layer.factor
    scales = step.numbers("scales", 1, 1, n, n)
    if step.layer.mode == "nearest":
        where = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        where = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return step.op("Resize", step.x, "", scales, **where)
