"""GoogLeNet: Szegedy et al., "Going deeper with convolutions" (2014), table 1 and section 5.

As published: local response normalisation, biases, no batch normalisation, 5x5 filters in the third branch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["AUX_WEIGHT", "GoogLeNet", "googlenet"]

#: weight of each auxiliary classifier's loss (section 5)
AUX_WEIGHT = 0.3


def _conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2),
        nn.ReLU(inplace=True),
    )


def _pool() -> nn.Module:
    """3x3 at stride 2, rounding up, as Caffe does: 112 -> 56 -> 28 -> 14 -> 7."""
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def _response_norm() -> nn.Module:
    """The paper names no constants; these are Caffe's for GoogLeNet (AlexNet has k = 2)."""
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)


def _classifier() -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(1024, 1000)]


class Inception(nn.Module):
    """Figure 2b: four branches over the same volume, concatenated along the channels."""

    def __init__(self, inputs: int, *widths: int) -> None:
        """Widths as the columns of table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj."""
        c1, r3, c3, r5, c5, pool = widths
        super().__init__()
        self.branch1 = _conv(inputs, c1, 1)
        self.branch3 = nn.Sequential(_conv(inputs, r3, 1), _conv(r3, c3, 3))
        self.branch5 = nn.Sequential(_conv(inputs, r5, 1), _conv(r5, c5, 5))
        self.branch_pool = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _conv(inputs, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], 1)


def _auxiliary(inputs: int) -> nn.Sequential:
    """The side classifier on 14x14 maps that section 5 describes."""
    return nn.Sequential(
        nn.AvgPool2d(5, 3),
        _conv(inputs, 128, 1),
        nn.Flatten(),
        nn.Linear(128 * 4 * 4, 1024),
        nn.ReLU(inplace=True),
        nn.Dropout(0.7),
        nn.Linear(1024, 1000),
    )


class GoogLeNet(nn.Module):
    """3x224x224 in; class scores out, in training followed by those of the two auxiliary heads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv(3, 64, 7, stride=2),
            _pool(),
            _response_norm(),
            _conv(64, 64, 1),
            _conv(64, 192, 3),
            _response_norm(),
            _pool(),
            Inception(192, 64, 96, 128, 16, 32, 32),
            Inception(256, 128, 128, 192, 32, 96, 64),
            _pool(),
            Inception(480, 192, 96, 208, 16, 48, 64),
        )
        self.auxiliary1 = _auxiliary(512)
        self.middle = nn.Sequential(
            Inception(512, 160, 112, 224, 24, 64, 64),
            Inception(512, 128, 128, 256, 24, 64, 64),
            Inception(512, 112, 144, 288, 32, 64, 64),
        )
        self.auxiliary2 = _auxiliary(528)
        self.top = nn.Sequential(
            Inception(528, 256, 160, 320, 32, 128, 128),
            _pool(),
            Inception(832, 256, 160, 320, 32, 128, 128),
            Inception(832, 384, 192, 384, 48, 128, 128),
            *_classifier(),
        )

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        x = self.stem(x)
        if not self.training:
            scores: Tensor = self.top(self.middle(x))
            return scores
        first = self.auxiliary1(x)
        x = self.middle(x)
        second = self.auxiliary2(x)
        return self.top(x), first, second


def googlenet() -> nn.Module:
    """6,998,552 parameters and, with the auxiliary heads, 13,378,280."""
    return GoogLeNet()
