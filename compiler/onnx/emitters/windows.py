"""Windows over pixels: CONV, DWCONV, UPCONV, POOL, AVGPOOL, GAP.

The height and width of a map are known, so `ceil` becomes the pads that it stands for: opset 18's own `ceil_mode`
counts the padding of a mean differently from torch.
"""

from __future__ import annotations

from typing import Any

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.step import Step
from archspec.layers.arguments import Pads
from archspec.layers.conv import Conv, DepthwiseConv
from archspec.layers.pool import AvgPool, GlobalAvgPool, MaxPool
from archspec.layers.upconv import TransposedConv


@emits(Conv, DepthwiseConv)
def convolution(step: Step) -> str:
    """Conv; pads are [top, left, bottom, right]."""
    layer = step.layer
    weights = _weights(step)
    filters, per_group = step.constants[weights[0]].shape[:2]
    groups = step.volume.channels // per_group
    assert filters % groups == 0
    return step.op(
        "Conv",
        step.x,
        *weights,
        kernel_shape=list(layer.kernel),
        strides=list(layer.stride),
        dilations=list(layer.dilation),
        group=groups,
        pads=onnx_pads(_reached(step, layer.dilation)),
    )


@emits(TransposedConv)
def transposed_convolution(step: Step) -> str:
    """ConvTranspose; its pads are what is taken off the output, at both ends, as in the spec."""
    layer = step.layer
    return step.op(
        "ConvTranspose",
        step.x,
        *_weights(step),
        kernel_shape=list(layer.kernel),
        strides=list(layer.stride),
        pads=onnx_pads(layer.pad),
    )


def _weights(step: Step) -> tuple[str, ...]:
    weight = step.weight("weight")
    return (weight,) if step.layer.bias is False else (weight, step.weight("bias"))


@emits(MaxPool)
def max_pool(step: Step) -> str:
    """MaxPool pads with minus infinity, so that more padding at the end changes no maximum."""
    return _pool(step, "MaxPool", step.x, _reached(step))


@emits(AvgPool)
def average_pool(step: Step) -> str:
    """AveragePool. What the spec pads may count, what `ceil` reaches beyond that never does (as in torch)."""
    layer = step.layer
    reached = _reached(step)
    if not layer.count_pad:
        return _pool(step, "AveragePool", step.x, reached, count_include_pad=0)
    if reached == layer.pads:
        return _pool(step, "AveragePool", step.x, reached, count_include_pad=1)
    padded = pad(step, step.x, layer.pads)
    beyond = tuple((0, reach[1] - own[1]) for reach, own in zip(reached, layer.pads, strict=True))
    return _pool(step, "AveragePool", padded, beyond, count_include_pad=0)


def _pool(step: Step, operator: str, x: str, pads: Any, **attributes: Any) -> str:
    layer = step.layer
    return step.op(
        operator, x, kernel_shape=list(layer.kernel), strides=list(layer.stride), pads=onnx_pads(pads), **attributes
    )


@emits(GlobalAvgPool)
def global_average_pool(step: Step) -> str:
    """The mean over a map's pixels or a sequence's vectors."""
    if step.volume.is_map:
        return step.op("Flatten", step.op("GlobalAveragePool", step.x), axis=1)
    return step.op("ReduceMean", step.x, step.integers("axes", 1), keepdims=0)


def pad(step: Step, x: str, pads: Pads) -> str:
    """Zeros around a map."""
    top, left, bottom, right = onnx_pads(pads)
    return step.op("Pad", x, step.integers("pads", 0, 0, top, left, 0, 0, bottom, right))


def onnx_pads(pads: Pads) -> list[int]:
    """((top, bottom), (left, right)) as ONNX orders them."""
    (top, bottom), (left, right) = pads
    return [top, left, bottom, right]


def _reached(step: Step, dilation: tuple[int, int] = (1, 1)) -> Pads:
    """The pads, those at the end wide enough for the last window, which with `ceil` reaches beyond them."""
    layer = step.layer
    ends = []
    for axis, (begin, end) in enumerate(layer.pads):
        width = dilation[axis] * (layer.kernel[axis] - 1) + 1
        covered = (step.node.volume[axis] - 1) * layer.stride[axis] + width
        ends.append((begin, max(end, covered - begin - step.volume[axis])))
    return ends[0], ends[1]
