"""Residual networks: for CIFAR (He et al. 2015), wide (Zagoruyko & Komodakis 2016), SENet-154 (Hu et al. 2017),
EfficientNet (Tan & Le 2019).
"""

from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .parts import Function, SqueezeExcite, mean_and_scores


def conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)


class Shortcut(nn.Module):
    """relu(branch + shortcut)."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))


def resnet20() -> nn.Module:
    """Section 4.2: 3 times 3 units of two 3x3, shortcuts of option A. 269,722 parameters."""

    def unit(inputs: int, outputs: int) -> nn.Module:
        more, stride = (outputs - inputs) // 2, outputs // inputs
        branch = nn.Sequential(
            conv(inputs, outputs, 3, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            conv(outputs, outputs, 3),
            nn.BatchNorm2d(outputs),
        )
        return Shortcut(
            branch, Function(lambda x: functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more, more)))
        )

    layers: list[nn.Module] = [conv(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU()]
    channels = 16
    for width in (16, 32, 64):
        for _ in range(3):
            layers.append(unit(channels, width))
            channels = width
    return nn.Sequential(*layers, *mean_and_scores(64, 10))


class WideUnit(nn.Module):
    """BN and ReLU first; a projection sees what they make, x otherwise goes by as it is."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.branch = nn.Sequential(
            conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU(), conv(outputs, outputs, 3)
        )
        self.project = conv(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        entered = self.enter(x)
        y: Tensor = self.branch(entered)
        return y + (x if self.project is None else self.project(entered))


def wrn28_10() -> nn.Module:
    """Table 1, depth 28 and width 10, no dropout. 36,479,194 parameters."""
    layers: list[nn.Module] = [conv(3, 16, 3)]
    channels = 16
    for stage, width in enumerate((160, 320, 640)):
        for place in range(4):
            layers.append(WideUnit(channels, width, 2 if stage and not place else 1))
            channels = width
    return nn.Sequential(*layers, nn.BatchNorm2d(640), nn.ReLU(), *mean_and_scores(640, 10))


def senet154() -> nn.Module:
    """64 groups, a 3x3 projection where the size changes, three 3x3 at the start: 115,088,984 parameters."""

    def conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        return [conv(inputs, outputs, size, stride, groups), nn.BatchNorm2d(outputs)]

    def unit(inputs: int, width: int, stride: int) -> nn.Module:
        branch = nn.Sequential(
            *conv_bn(inputs, 2 * width, 1),
            nn.ReLU(),
            *conv_bn(2 * width, 4 * width, 3, stride, 64),
            nn.ReLU(),
            *conv_bn(4 * width, 4 * width, 1),
            SqueezeExcite(4 * width, width // 4, nn.ReLU()),
        )
        fits = inputs == 4 * width
        shortcut = nn.Identity() if fits else nn.Sequential(*conv_bn(inputs, 4 * width, 2 * stride - 1, stride))
        return Shortcut(branch, shortcut)

    layers = [*conv_bn(3, 64, 3, 2), nn.ReLU(), *conv_bn(64, 64, 3), nn.ReLU(), *conv_bn(64, 128, 3), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
    channels = 128
    for width, repeats in ((64, 3), (128, 8), (256, 36), (512, 3)):
        for place in range(repeats):
            layers.append(unit(channels, width, 2 if width > 64 and not place else 1))
            channels = 4 * width
    return nn.Sequential(*layers, *mean_and_scores(2048, 1000, 0.2))


class MBConv(nn.Module):
    """MobileNetV2's unit with squeeze-excite behind the depthwise filters, its middle a quarter of what enters."""

    def __init__(self, inputs: int, outputs: int, widen: int, size: int, stride: int, **norm: Any) -> None:
        super().__init__()
        width = widen * inputs
        first = [conv(inputs, width, 1), nn.BatchNorm2d(width, **norm), nn.SiLU()] if widen > 1 else []
        self.branch = nn.Sequential(
            *first,
            conv(width, width, size, stride, width),
            nn.BatchNorm2d(width, **norm),
            nn.SiLU(),
            SqueezeExcite(width, inputs // 4, nn.SiLU()),
            conv(width, outputs, 1),
            nn.BatchNorm2d(outputs, **norm),
        )
        self.adds = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.branch(x)
        return x + y if self.adds else y


def _efficientnet(width: float, depth: float, dropout: float, **norm: Any) -> nn.Module:
    """Table 1; channels are rounded to 8s, down by a tenth at most."""

    def rounded(channels: int) -> int:
        nearest = max(8, int(width * channels + 4) // 8 * 8)
        return nearest + 8 if nearest < 0.9 * width * channels else nearest

    channels, last = rounded(32), rounded(1280)
    layers: list[nn.Module] = [conv(3, channels, 3, 2), nn.BatchNorm2d(channels, **norm), nn.SiLU()]
    plan = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)]
    plan += [(6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]
    for widen, size, stride, outputs, repeats in plan:
        for place in range(ceil(depth * repeats)):
            layers.append(MBConv(channels, rounded(outputs), widen, size, 1 if place else stride, **norm))
            channels = rounded(outputs)
    layers += [conv(channels, last, 1), nn.BatchNorm2d(last, **norm), nn.SiLU()]
    return nn.Sequential(*layers, *mean_and_scores(last, 1000, dropout))


def efficientnet_b0() -> nn.Module:
    """5,288,548 parameters."""
    return _efficientnet(1.0, 1.0, 0.2)


def efficientnet_b5() -> nn.Module:
    """30,389,784 parameters; from B5 on the normalisations are TensorFlow's."""
    return _efficientnet(1.6, 2.2, 0.4, eps=1e-3, momentum=0.01)
