"""ConvNeXt: Liu et al., "A ConvNet for the 2020s" (2022), without stochastic depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["convnext_tiny"]


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Figure 4: depthwise 7x7, norm, and an MLP on each pixel, scaled and added to x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.scale = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.think(self.norm(y)) * self.scale
        z: Tensor = x + y.permute(0, 3, 1, 2)
        return z


def convnext_tiny() -> nn.Module:
    """28,589,128 parameters."""
    widths = (96, 192, 384, 768)
    layers: list[nn.Module] = [nn.Conv2d(3, 96, 4, stride=4), ChannelNorm(96, eps=1e-6)]
    for stage, (width, repeats) in enumerate(zip(widths, (3, 3, 9, 3), strict=True)):
        if stage:
            layers += [ChannelNorm(width // 2, eps=1e-6), nn.Conv2d(width // 2, width, 2, stride=2)]
        layers += [Block(width) for _ in range(repeats)]
    layers += [nn.AdaptiveAvgPool2d(1), ChannelNorm(768, eps=1e-6), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(768, 1000))
