"""The torch modules that torch.nn lacks, for layers that are no single module of it.

In: a layer and the volumes that enter. Out: a module whose parameters have the layer's names. Maps are [B, C, H, W],
sequences [B, N, C], vectors [B, C].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.compiler.lowering.attention import SelfAttention, WindowAttention
from archspec.graph.volume import Volume
from archspec.layers.attention import Attention
from archspec.layers.base import Layer
from archspec.layers.conv import Convolution
from archspec.layers.dropout import DropPath
from archspec.layers.linear import FullyConnected
from archspec.layers.norm import BatchNorm, LayerNorm
from archspec.layers.pixels import Shift
from archspec.layers.pool import AvgPool, MaxPool
from archspec.layers.scale import Affine, Scale
from archspec.layers.sequence import ClassToken, PositionEmbedding

Volumes = tuple[Volume, ...]
Ends = tuple[int, int, int, int]  # left, right, top, bottom, as functional.pad takes them


class PaddedConv2d(nn.Conv2d):
    """A convolution whose padding differs from end to end, or is cut where `ceil` or `floor` says so."""

    def __init__(self, layer: Convolution, volume: Volume, out: Volume) -> None:
        super().__init__(
            volume.channels,
            out.channels,
            layer.kernel,
            stride=layer.stride,
            dilation=layer.dilation,
            groups=layer._groups(volume.channels),
            bias=layer.bias is not False,
        )
        self.ends = _ends(layer, volume, out, layer.dilation)

    def forward(self, input: Tensor) -> Tensor:
        """Pad, then convolve."""
        return super().forward(functional.pad(input, self.ends))


def _ends(layer: Any, volume: Volume, out: Volume, dilation: tuple[int, int]) -> Ends:
    """The padding with which a window has just its places and nothing is left over; below 0 it cuts."""
    (top, _), (left, _) = layer.pads
    widths = [d * (k - 1) + 1 for k, d in zip(layer.kernel, dilation, strict=True)]
    bottom, right = (
        (out[axis] - 1) * layer.stride[axis] + widths[axis] - volume[axis] - begin
        for axis, begin in ((0, top), (1, left))
    )
    return (left, right, top, bottom)


class PaddedMaxPool2d(nn.Module):
    """A max pool whose padding differs from end to end."""

    def __init__(self, layer: MaxPool, volume: Volume, out: Volume) -> None:
        super().__init__()
        self.kernel, self.stride = layer.kernel, layer.stride
        self.ends = _ends(layer, volume, out, (1, 1))

    def forward(self, input: Tensor) -> Tensor:
        """Pad with what is never the largest, then pool."""
        padded = functional.pad(input, self.ends, value=-torch.inf)
        return functional.max_pool2d(padded, self.kernel, self.stride)


class PaddedAvgPool2d(nn.Module):
    """An average pool whose padding differs from end to end; `counts` is how many places of each window count."""

    counts: Tensor

    def __init__(self, layer: AvgPool, volume: Volume, out: Volume) -> None:
        super().__init__()
        self.kernel, self.stride = layer.kernel, layer.stride
        self.ends = left, right, top, bottom = _ends(layer, volume, out, (1, 1))
        counted = torch.ones(1, 1, *volume.spatial)
        if layer.count_pad:
            (above, below), (before, behind) = layer.pads
            counted = functional.pad(counted, (before, behind, above, below), value=1.0)
            left, right, top, bottom = 0, right - behind, 0, bottom - below
        self.register_buffer("counts", self._sums(counted, (left, right, top, bottom)), persistent=False)

    def _sums(self, input: Tensor, ends: Ends) -> Tensor:
        return functional.avg_pool2d(functional.pad(input, ends), self.kernel, self.stride, divisor_override=1)

    def forward(self, input: Tensor) -> Tensor:
        """The sum over each window, by how many places of it count."""
        return self._sums(input, self.ends) / self.counts


class SequenceBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of [B, N, C]; torch wants the channels before the places."""

    def forward(self, input: Tensor) -> Tensor:
        """Turn, normalise, turn back."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class PixelNorm(nn.LayerNorm):
    """Layer normalisation of each pixel of [B, C, H, W]."""

    def forward(self, input: Tensor) -> Tensor:
        """Turn, normalise, turn back."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ChannelAffine(nn.Module):
    """x * weight + bias, channel by channel."""

    def __init__(self, volume: Volume) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(volume.channels))
        self.bias = nn.Parameter(torch.zeros(volume.channels))

    def forward(self, input: Tensor) -> Tensor:
        """Scale and shift."""
        return input * wide(self.weight, input) + wide(self.bias, input)


class ChannelScale(nn.Module):
    """x * weight, channel by channel."""

    def __init__(self, layer: Scale, volume: Volume) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((volume.channels,), layer.value))

    def forward(self, input: Tensor) -> Tensor:
        """Scale."""
        return input * wide(self.weight, input)


def wide(channels: Tensor, input: Tensor) -> Tensor:
    """A vector of channels, so that it broadcasts over an input."""
    return channels[:, None, None] if input.dim() == 4 else channels


class Fixed(nn.Module):
    """x times a constant."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Scale."""
        return input * self.value


class StochasticDepth(nn.Module):
    """DROPPATH: a mask of zeros and 1/(1-p), one number an image."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """Drop whole images while training; otherwise the input itself."""
        if not self.training or self.p == 0:
            return input
        mask = input.new_empty((input.shape[0],) + (1,) * (input.dim() - 1))
        return input * mask.bernoulli_(1 - self.p).div_(1 - self.p)


class PrependToken(nn.Module):
    """CLS: a learned vector in front of [B, N, C]."""

    def __init__(self, volume: Volume) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(volume.channels))

    def forward(self, input: Tensor) -> Tensor:
        """Put it in front."""
        return torch.cat([self.weight.expand(input.shape[0], 1, -1), input], dim=1)


class AddPositions(nn.Module):
    """POSEMBED: a learned vector for each place."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.weight.decays = False  # type: ignore[attr-defined]  # a bias of each place

    def forward(self, input: Tensor) -> Tensor:
        """Add them."""
        return input + self.weight


class SpatialShift(nn.Module):
    """SHIFT: four groups of channels moved by a pixel; the edge stays."""

    def forward(self, input: Tensor) -> Tensor:
        """Move down, up, right, left."""
        down, up, right, left = input.chunk(4, dim=1)
        return torch.cat(
            [
                torch.cat([down[:, :, :1], down[:, :, :-1]], dim=2),
                torch.cat([up[:, :, 1:], up[:, :, -1:]], dim=2),
                torch.cat([right[..., :1], right[..., :-1]], dim=3),
                torch.cat([left[..., 1:], left[..., -1:]], dim=3),
            ],
            dim=1,
        )


def _scale(layer: Any, volume: Volume, out: Volume) -> nn.Module:
    return Fixed(layer.value) if layer.fixed else ChannelScale(layer, volume)


def _attention(layer: Any, volume: Volume, out: Volume) -> nn.Module:
    if layer.window is None:
        return SelfAttention(layer.heads, volume.channels)
    return WindowAttention(layer, volume)


# layers that are one module; it takes the layer and the volumes on both sides
COMPOSITES: dict[type[Layer], Callable[[Any, Volume, Volume], nn.Module]] = {
    MaxPool: PaddedMaxPool2d,
    AvgPool: PaddedAvgPool2d,
    FullyConnected: lambda layer, volume, out: nn.Linear(volume.values, layer.features, layer.bias is not False),
    BatchNorm: lambda layer, volume, out: SequenceBatchNorm(volume.channels, layer.eps, layer.momentum),
    LayerNorm: lambda layer, volume, out: PixelNorm(volume.channels, layer.eps),
    Affine: lambda layer, volume, out: ChannelAffine(volume),
    Scale: _scale,
    DropPath: lambda layer, volume, out: StochasticDepth(layer.p),
    ClassToken: lambda layer, volume, out: PrependToken(volume),
    PositionEmbedding: lambda layer, volume, out: AddPositions(layer.tensors((volume,))[0].shape),
    Shift: lambda layer, volume, out: SpatialShift(),
    Attention: _attention,
}


def module_of(layer: Layer, volumes: Volumes, out: Volume) -> nn.Module | None:
    """The module of a layer; nothing where an expression of tensors does (`expressions.py`)."""
    named = layer.module(volumes)
    if named is not None:
        # `in_place.py` decides who may write over an input: a RELU6 may have it from a value that others read
        arguments = {name: value for name, value in named.arguments.items() if name != "inplace"}
        module: nn.Module = getattr(nn, named.name)(**arguments)
        return module
    if isinstance(layer, Convolution):
        return PaddedConv2d(layer, volumes[0], out)
    make = COMPOSITES.get(type(layer))
    return None if make is None else make(layer, volumes[0], out)
