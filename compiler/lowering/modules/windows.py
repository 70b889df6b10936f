"""Windows that torch's own modules do not have: padding that differs from end to end, and convolutions with `ceil`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.conv import Conv, Convolution, DepthwiseConv
from archspec.layers.pool import AvgPool, MaxPool

Ends = tuple[int, int, int, int]  # left, right, top, bottom, as functional.pad takes them


@lowers(Conv, DepthwiseConv)
class PaddedConv2d(nn.Conv2d):
    """A convolution whose padding differs from end to end, or is cut because of `ceil` or `floor`."""

    def __init__(self, layer: Convolution, volume: Volume) -> None:
        super().__init__(
            volume.channels,
            layer.filters_of(volume.channels),
            layer.kernel,
            stride=layer.stride,
            dilation=layer.dilation,
            groups=layer.groups_of(volume.channels),
            bias=layer.bias is not False,
        )
        self.ends = _ends(layer, volume, layer.dilation)

    def forward(self, input: Tensor) -> Tensor:
        """Pad, then convolve."""
        return super().forward(functional.pad(input, self.ends))


def _ends(layer: Any, volume: Volume, dilation: tuple[int, int]) -> Ends:
    """The padding with which the windows cover the map exactly; below 0 it cuts."""
    out = layer.output((volume,))
    (top, _), (left, _) = layer.pads
    widths = [d * (k - 1) + 1 for k, d in zip(layer.kernel, dilation, strict=True)]
    bottom, right = (
        (out[axis] - 1) * layer.stride[axis] + widths[axis] - volume[axis] - begin
        for axis, begin in ((0, top), (1, left))
    )
    return (left, right, top, bottom)


@lowers(MaxPool)
class PaddedMaxPool2d(nn.Module):
    """A max pool whose padding differs from end to end."""

    def __init__(self, layer: MaxPool, volume: Volume) -> None:
        super().__init__()
        self.kernel, self.stride = layer.kernel, layer.stride
        self.ends = _ends(layer, volume, (1, 1))

    def forward(self, input: Tensor) -> Tensor:
        """Pad with minus infinity, then pool."""
        padded = functional.pad(input, self.ends, value=-torch.inf)
        return functional.max_pool2d(padded, self.kernel, self.stride)


@lowers(AvgPool)
class PaddedAvgPool2d(nn.Module):
    """An average pool whose padding differs from end to end; `counts` is how many positions of each window count."""

    counts: Tensor

    def __init__(self, layer: AvgPool, volume: Volume) -> None:
        super().__init__()
        self.kernel, self.stride = layer.kernel, layer.stride
        self.ends = left, right, top, bottom = _ends(layer, volume, (1, 1))
        counted = torch.ones(1, 1, *volume.spatial)
        if layer.count_pad:
            (above, below), (before, after) = layer.pads
            counted = functional.pad(counted, (before, after, above, below), value=1.0)
            left, right, top, bottom = 0, right - after, 0, bottom - below
        self.register_buffer("counts", self._sums(counted, (left, right, top, bottom)), persistent=False)

    def _sums(self, input: Tensor, ends: Ends) -> Tensor:
        return functional.avg_pool2d(functional.pad(input, ends), self.kernel, self.stride, divisor_override=1)

    def forward(self, input: Tensor) -> Tensor:
        """Divide the sum over each window by its count."""
        return self._sums(input, self.ends) / self.counts
