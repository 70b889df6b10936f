"""Normalisations: NORM, BN, LN, GN, IN; and what scales channels like them, AFFINE, SCALE.

A BN behind a convolution is folded before it comes here (fold.py).
"""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.fold import scale_and_shift
from archspec.compiler.onnx.step import Step
from archspec.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from archspec.layers.scale import Affine, Scale


@emits(LocalResponseNorm)
def local_response(step: Step) -> str:
    """LRN, whose alpha is divided by n as torch's is. onnxruntime has it for an odd n only."""
    layer = step.layer
    if layer.n % 2:
        return step.op("LRN", step.x, size=layer.n, alpha=layer.alpha, beta=layer.beta, bias=layer.k)
    height, width, channels = step.volume
    before, after = layer.n // 2, (layer.n - 1) // 2  # torch's window
    squares = step.reshape(step.op("Mul", step.x, step.x), 0, 1, channels, height * width)
    mean = step.op("AveragePool", squares, kernel_shape=[layer.n, 1], pads=[before, 0, after, 0], count_include_pad=1)
    mean = step.reshape(mean, 0, channels, height, width)
    grown = step.op("Add", step.op("Mul", mean, step.scalar("alpha", layer.alpha)), step.scalar("k", layer.k))
    return step.op("Div", step.x, step.op("Pow", grown, step.scalar("beta", layer.beta)))


@emits(BatchNorm)
def batch_norm(step: Step) -> str:
    """BatchNormalization with the running statistics; of a sequence, the scale and shift that they make."""
    if len(step.volume) == 2:
        scale, shift = scale_and_shift(step)
        scaled = step.op("Mul", step.x, step.constant("scale", scale.astype(np.float32)))
        return step.op("Add", scaled, step.constant("shift", shift.astype(np.float32)))
    names = ("weight", "bias", "running_mean", "running_var")
    return step.op("BatchNormalization", step.x, *map(step.weight, names), epsilon=step.layer.eps)


@emits(LayerNorm)
def layer_norm(step: Step) -> str:
    """LayerNormalization over the last dimension, which a map's channels become for it."""
    x = step.transpose(step.x, 0, 2, 3, 1) if step.volume.is_map else step.x
    weights = step.weight("weight"), step.weight("bias")
    normed = step.op("LayerNormalization", x, *weights, axis=-1, epsilon=step.layer.eps)
    return step.transpose(normed, 0, 3, 1, 2) if step.volume.is_map else normed


@emits(GroupNorm)
def group_norm(step: Step) -> str:
    """InstanceNormalization of each group as one long channel: GroupNormalization-18 scales groups, not channels."""
    height, width, channels = step.volume
    groups = step.layer.groups
    ones = np.ones(groups, dtype=np.float32)
    one, zero = step.constant("ones", ones), step.constant("zeros", 0 * ones)
    long = step.reshape(step.x, 0, groups, channels // groups * height * width)
    normed = step.op("InstanceNormalization", long, one, zero, epsilon=step.layer.eps)
    return _affine(step, step.reshape(normed, 0, channels, height, width))


@emits(InstanceNorm)
def instance_norm(step: Step) -> str:
    """InstanceNormalization, which always takes a scale and a shift."""
    if step.layer.affine:
        weights = step.weight("weight"), step.weight("bias")
    else:
        ones = np.ones(step.volume.channels, dtype=np.float32)
        weights = step.constant("ones", ones), step.constant("zeros", 0 * ones)
    return step.op("InstanceNormalization", step.x, *weights, epsilon=step.layer.eps)


@emits(Affine)
def affine(step: Step) -> str:
    """A scale and a shift of each channel."""
    return _affine(step, step.x)


@emits(Scale)
def scale(step: Step) -> str:
    """A factor for each channel, or one for all."""
    layer = step.layer
    factor = step.scalar("value", layer.value) if layer.fixed else step.wide("weight")
    return step.op("Mul", step.x, factor)


def _affine(step: Step, x: str) -> str:
    scaled = step.op("Mul", x, step.wide("weight"))
    return step.op("Add", scaled, step.wide("bias"))
