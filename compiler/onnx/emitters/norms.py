"""Normalisations: NORM, BN, LN, GN, IN, GRN; and what scales channels like them, AFFINE, SCALE.

A BN after a convolution is folded into it and has no node (fold.py).
"""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.fold import OF_BATCHES, scale_and_shift
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.channels import Affine, Scale
from archspec.layers.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, ResponseNorm


@emits(LocalResponseNorm)
def local_response(writer: NodeWriter) -> str:
    """LRN, whose alpha is divided by n as torch's is. onnxruntime has it for an odd n only."""
    layer = writer.layer
    if layer.n % 2:
        return writer.op("LRN", writer.x, size=layer.n, alpha=layer.alpha, beta=layer.beta, bias=layer.k)
    height, width, channels = writer.volume
    before, after = layer.n // 2, (layer.n - 1) // 2  # torch's window
    squares = writer.reshape(writer.op("Mul", writer.x, writer.x), 0, 1, channels, height * width)
    mean = writer.op("AveragePool", squares, kernel_shape=[layer.n, 1], pads=[before, 0, after, 0], count_include_pad=1)
    mean = writer.reshape(mean, 0, channels, height, width)
    grown = writer.op("Add", writer.op("Mul", mean, writer.scalar("alpha", layer.alpha)), writer.scalar("k", layer.k))
    return writer.op("Div", writer.x, writer.op("Pow", grown, writer.scalar("beta", layer.beta)))


@emits(BatchNorm)
def batch_norm(writer: NodeWriter) -> str:
    """BatchNormalization with the running statistics; of a sequence, a Mul and an Add."""
    if len(writer.volume) == 2:
        scale, shift = scale_and_shift(writer)
        scaled = writer.op("Mul", writer.x, writer.constant("scale", scale.astype(np.float32), OF_BATCHES))
        return writer.op("Add", scaled, writer.constant("shift", shift.astype(np.float32), OF_BATCHES))
    return writer.op("BatchNormalization", writer.x, *map(writer.weight, OF_BATCHES), epsilon=writer.layer.eps)


@emits(LayerNorm)
def layer_norm(writer: NodeWriter) -> str:
    """LayerNormalization over the last dimension; a map is transposed for it."""
    x = writer.transpose(writer.x, 0, 2, 3, 1) if writer.volume.is_map else writer.x
    weights = writer.weight("weight"), writer.weight("bias")
    normed = writer.op("LayerNormalization", x, *weights, axis=-1, epsilon=writer.layer.eps)
    return writer.transpose(normed, 0, 3, 1, 2) if writer.volume.is_map else normed


@emits(GroupNorm)
def group_norm(writer: NodeWriter) -> str:
    """InstanceNormalization of each group as one long channel: GroupNormalization-18 scales groups, not channels."""
    height, width, channels = writer.volume
    groups = writer.layer.groups
    ones = np.ones(groups, dtype=np.float32)
    one, zero = writer.constant("ones", ones), writer.constant("zeros", 0 * ones)
    long = writer.reshape(writer.x, 0, groups, channels // groups * height * width)
    normed = writer.op("InstanceNormalization", long, one, zero, epsilon=writer.layer.eps)
    return _affine(writer, writer.reshape(normed, 0, channels, height, width))


@emits(InstanceNorm)
def instance_norm(writer: NodeWriter) -> str:
    """InstanceNormalization, which requires a scale and a shift."""
    if writer.layer.affine:
        weights = writer.weight("weight"), writer.weight("bias")
    else:
        ones = np.ones(writer.volume.channels, dtype=np.float32)
        weights = writer.constant("ones", ones), writer.constant("zeros", 0 * ones)
    return writer.op("InstanceNormalization", writer.x, *weights, epsilon=writer.layer.eps)


@emits(ResponseNorm)
def response_norm(writer: NodeWriter) -> str:
    """x times 1 + weight * N, a number for each channel; plus the bias."""
    norms = writer.op("ReduceL2", writer.x, writer.integers("pixels", 2, 3), keepdims=1)
    mean = writer.op("ReduceMean", norms, writer.integers("channels", 1), keepdims=1)
    relative = writer.op("Div", norms, writer.op("Add", mean, writer.scalar("eps", writer.layer.eps)))
    factor = writer.op("Add", writer.op("Mul", relative, writer.wide("weight")), writer.scalar("one", 1.0))
    return writer.op("Add", writer.op("Mul", writer.x, factor), writer.wide("bias"))


@emits(Affine)
def affine(writer: NodeWriter) -> str:
    """A scale and a shift of each channel."""
    return _affine(writer, writer.x)


@emits(Scale)
def scale(writer: NodeWriter) -> str:
    """A factor for each channel, or one for all."""
    layer = writer.layer
    factor = writer.scalar("value", layer.value) if layer.fixed else writer.wide("weight")
    return writer.op("Mul", writer.x, factor)


def _affine(writer: NodeWriter, x: str) -> str:
    scaled = writer.op("Mul", x, writer.wide("weight"))
    return writer.op("Add", scaled, writer.wide("bias"))
