"""U-Net (Ronneberger et al. 2015) with padding, so that the map keeps its size, and two classes a pixel."""

from itertools import pairwise

import torch
from torch import Tensor, nn


def double(inputs: int, outputs: int) -> nn.Sequential:
    first, second = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class UNet(nn.Module):
    """Figure 1."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.enter = double(3, widths[0])
        self.down = nn.ModuleList(double(upper, lower) for upper, lower in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(lower, upper, 2, 2) for upper, lower in reversed(pairs))
        self.join = nn.ModuleList(double(lower, upper) for upper, lower in reversed(pairs))
        self.pool, self.scores = nn.MaxPool2d(2), nn.Conv2d(widths[0], 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(self.pool(x))
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        scores: Tensor = self.scores(x)
        return scores


def unet() -> nn.Module:
    """31,031,810 parameters."""
    return UNet((64, 128, 256, 512, 1024))
