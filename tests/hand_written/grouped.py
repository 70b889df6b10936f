"""ShuffleNet (Zhang et al. 2017) with 3 groups, and ShuffleNetV2 (Ma et al. 2018) at width 1."""

import torch
from torch import Tensor, nn

from .parts import mean_and_scores


def conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def shuffled(x: Tensor, groups: int) -> Tensor:
    """The first channel of each group, then the second of each, and so on."""
    y: Tensor = x.unflatten(1, (groups, -1))
    return y.transpose(1, 2).flatten(1, 2)


class Shuffle(nn.Module):
    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        return shuffled(x, self.groups)


class GroupedUnit(nn.Module):
    """Figure 2b and c: at stride 2 the input is pooled and stands beside what is made of it."""

    def __init__(self, inputs: int, outputs: int, stride: int, groups: int, first_groups: int) -> None:
        super().__init__()
        middle = outputs // 4
        made = outputs - inputs if stride == 2 else outputs
        self.branch = nn.Sequential(
            *conv_bn(inputs, middle, 1, groups=first_groups),
            nn.ReLU(),
            Shuffle(groups),
            *conv_bn(middle, middle, 3, stride, groups=middle),
            *conv_bn(middle, made, 1, groups=groups),
        )
        self.pool = nn.AvgPool2d(3, 2, 1) if stride == 2 else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.branch(x)
        return torch.relu(x + y if self.pool is None else torch.cat([self.pool(x), y], 1))


def stem() -> list[nn.Module]:
    return [*conv_bn(3, 24, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]


def shufflenet_v1() -> nn.Module:
    """Table 1, 3 groups; the very first 1x1, on 24 channels, has none. 1,865,728 parameters."""
    layers, channels = stem(), 24
    for width, repeats in ((240, 4), (480, 8), (960, 4)):
        for place in range(repeats):
            layers.append(GroupedUnit(channels, width, 1 if place else 2, 3, 1 if channels == 24 else 3))
            channels = width
    return nn.Sequential(*layers, *mean_and_scores(channels, 1000))


class SplitUnit(nn.Module):
    """Figure 3c: half of the channels pass by."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*half(channels // 2, channels // 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        kept, taken = x.chunk(2, 1)
        return shuffled(torch.cat([kept, self.branch(taken)], 1), 2)


def half(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        *conv_bn(inputs, outputs, 1),
        nn.ReLU(),
        *conv_bn(outputs, outputs, 3, stride, outputs),
        *conv_bn(outputs, outputs, 1),
        nn.ReLU(),
    ]


class Halve(nn.Module):
    """Figure 3d: half the size, both halves of the channels from all of x."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.left = nn.Sequential(*conv_bn(inputs, inputs, 3, 2, inputs), *conv_bn(inputs, outputs // 2, 1), nn.ReLU())
        self.right = nn.Sequential(*half(inputs, outputs // 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return shuffled(torch.cat([self.left(x), self.right(x)], 1), 2)


def shufflenet_v2() -> nn.Module:
    """Table 5, 1x: 2,278,604 parameters."""
    layers, channels = stem(), 24
    for width, repeats in ((116, 4), (232, 8), (464, 4)):
        layers += [Halve(channels, width), *(SplitUnit(width) for _ in range(repeats - 1))]
        channels = width
    return nn.Sequential(*layers, *conv_bn(464, 1024, 1), nn.ReLU(), *mean_and_scores(1024, 1000))
