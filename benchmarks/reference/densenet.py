"""DenseNet: Huang et al., "Densely connected convolutional networks" (2016), table 1, growth rate 32."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["densenet121"]

_GROWTH = 32


def _bn_relu_conv(inputs: int, outputs: int, size: int) -> list[nn.Module]:
    return [
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False),
    ]


class DenseLayer(nn.Module):
    """Appends 32 maps, made through a bottleneck of 128, to all maps so far."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*_bn_relu_conv(inputs, 4 * _GROWTH, 1), *_bn_relu_conv(4 * _GROWTH, _GROWTH, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.branch(x)], 1)


def _densenet(blocks: tuple[int, ...]) -> nn.Module:
    channels = 64
    layers: list[nn.Module] = [
        nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    for position, repeats in enumerate(blocks):
        layers += [DenseLayer(channels + k * _GROWTH) for k in range(repeats)]
        channels += repeats * _GROWTH
        if position < len(blocks) - 1:
            layers += [*_bn_relu_conv(channels, channels // 2, 1), nn.AvgPool2d(2, 2)]
            channels //= 2
    layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 1000))


def densenet121() -> nn.Module:
    """7,978,856 parameters."""
    return _densenet((6, 12, 24, 16))
