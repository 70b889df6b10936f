"""Windows over pixels: CONV, DWCONV, UPCONV, POOL, AVGPOOL, GAP, GMP.

The height and width of a map are known, so `ceil` becomes explicit pads: opset 18's `ceil_mode` counts the padding of a
mean differently from torch.
"""

from __future__ import annotations

from typing import Any

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.arguments import Pads
from archspec.layers.conv import Conv, DepthwiseConv
from archspec.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archspec.layers.upconv import TransposedConv


@emits(Conv, DepthwiseConv)
def convolution(writer: NodeWriter) -> str:
    """Conv; pads are [top, left, bottom, right]."""
    layer = writer.layer
    weights = _weights(writer)
    filters, per_group = writer.constants[weights[0]].shape[:2]
    groups = writer.volume.channels // per_group
    assert filters % groups == 0
    return writer.op(
        "Conv",
        writer.x,
        *weights,
        kernel_shape=list(layer.kernel),
        strides=list(layer.stride),
        dilations=list(layer.dilation),
        group=groups,
        pads=onnx_pads(_reached(writer, layer.dilation)),
    )


@emits(TransposedConv)
def transposed_convolution(writer: NodeWriter) -> str:
    """ConvTranspose; its pads are cut off the output, at both ends, as in the spec."""
    layer = writer.layer
    return writer.op(
        "ConvTranspose",
        writer.x,
        *_weights(writer),
        kernel_shape=list(layer.kernel),
        strides=list(layer.stride),
        pads=onnx_pads(layer.pad),
    )


def _weights(writer: NodeWriter) -> tuple[str, ...]:
    weight = writer.weight("weight")
    return (weight,) if writer.layer.bias is False else (weight, writer.weight("bias"))


@emits(MaxPool)
def max_pool(writer: NodeWriter) -> str:
    """MaxPool pads with minus infinity, so that more padding at the end changes no maximum."""
    return _pool(writer, "MaxPool", writer.x, _reached(writer))


@emits(AvgPool)
def average_pool(writer: NodeWriter) -> str:
    """AveragePool. Padding of the spec may count; what `ceil` adds never does (as in torch)."""
    layer = writer.layer
    reached = _reached(writer)
    if not layer.count_pad:
        return _pool(writer, "AveragePool", writer.x, reached, count_include_pad=0)
    if reached == layer.pads:
        return _pool(writer, "AveragePool", writer.x, reached, count_include_pad=1)
    padded = pad(writer, writer.x, layer.pads)
    beyond = tuple((0, reach[1] - own[1]) for reach, own in zip(reached, layer.pads, strict=True))
    return _pool(writer, "AveragePool", padded, beyond, count_include_pad=0)


def _pool(writer: NodeWriter, operator: str, x: str, pads: Any, **attributes: Any) -> str:
    layer = writer.layer
    return writer.op(
        operator, x, kernel_shape=list(layer.kernel), strides=list(layer.stride), pads=onnx_pads(pads), **attributes
    )


@emits(GlobalAvgPool)
def global_average_pool(writer: NodeWriter) -> str:
    """The mean over a map's pixels, a sequence's vectors, or channels."""
    return _global_pool(writer, "GlobalAveragePool", "ReduceMean")


@emits(GlobalMaxPool)
def global_max_pool(writer: NodeWriter) -> str:
    """The maximum over a map's pixels, a sequence's vectors, or channels."""
    return _global_pool(writer, "GlobalMaxPool", "ReduceMax")


def _global_pool(writer: NodeWriter, pool: str, reduce: str) -> str:
    if writer.layer.channels:
        return writer.op(reduce, writer.x, writer.integers("axes", writer.volume.channel_axis), keepdims=1)
    if writer.volume.is_map:
        return writer.op("Flatten", writer.op(pool, writer.x), axis=1)
    return writer.op(reduce, writer.x, writer.integers("axes", 1), keepdims=0)


def pad(writer: NodeWriter, x: str, pads: Pads) -> str:
    """Zeros around a map."""
    top, left, bottom, right = onnx_pads(pads)
    return writer.op("Pad", x, writer.integers("pads", 0, 0, top, left, 0, 0, bottom, right))


def onnx_pads(pads: Pads) -> list[int]:
    """((top, bottom), (left, right)) as ONNX orders them."""
    (top, bottom), (left, right) = pads
    return [top, left, bottom, right]


def _reached(writer: NodeWriter, dilation: tuple[int, int] = (1, 1)) -> Pads:
    """The pads, widened at the end for the last window if `ceil` makes it reach beyond them."""
    layer = writer.layer
    ends = []
    for axis, (begin, end) in enumerate(layer.pads):
        width = dilation[axis] * (layer.kernel[axis] - 1) + 1
        covered = (writer.node.volume[axis] - 1) * layer.stride[axis] + width
        ends.append((begin, max(end, covered - begin - writer.volume[axis])))
    return ends[0], ends[1]
