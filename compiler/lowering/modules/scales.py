"""Scales and shifts of channels: AFFINE, SCALE, PRELU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.activation import Prelu
from archspec.layers.channels import Affine, Scale


@lowers(Affine)
class ChannelAffine(nn.Module):
    """x * weight + bias, channel by channel."""

    def __init__(self, layer: Affine, volume: Volume) -> None:
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


class Fixed(nn.Module):
    """x times a constant."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Scale."""
        return input * self.value


@lowers(Scale)
def scale(layer: Scale, volume: Volume) -> nn.Module:
    """A learned factor for each channel, or a constant."""
    return Fixed(layer.value) if layer.fixed else ChannelScale(layer, volume)


@lowers(Prelu)
class SequencePrelu(nn.PReLU):
    """A slope for each channel of [B, N, C]; torch expects the channels before the positions."""

    def __init__(self, layer: Prelu, volume: Volume) -> None:
        super().__init__(volume.channels)

    def forward(self, input: Tensor) -> Tensor:
        """Transpose, apply, transpose back."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


def wide(channels: Tensor, input: Tensor) -> Tensor:
    """A vector of channels, in a shape that broadcasts over an input."""
    return channels[:, None, None] if input.dim() == 4 else channels
