"""ResNet: He et al., "Deep residual learning for image recognition" (2015), table 1, shortcuts of option B.

With ResNeXt (Xie et al. 2016), whose 3x3 is grouped, and SE-ResNet (Hu et al. 2017), whose branch weighs
its own channels. The bottleneck's stride is on its 3x3 convolution, as in Facebook's and every later
implementation (the paper has it on the first 1x1). The last normalisation of a block starts at torch's
default.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

__all__ = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50", "se_resnet50"]


def _conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class Residual(nn.Module):
    """y = relu(F(x) + x), with a 1x1 projection of x where the volume changes."""

    def __init__(self, branch: nn.Sequential, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = branch
        fits = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if fits else nn.Sequential(*_conv_bn(inputs, outputs, 1, stride))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.branch(x)
        y += self.shortcut(x)
        activated: Tensor = self.relu(y)
        return activated


def _basic(inputs: int, width: int, stride: int) -> Residual:
    branch = nn.Sequential(
        *_conv_bn(inputs, width, 3, stride),
        nn.ReLU(inplace=True),
        *_conv_bn(width, width, 3),
    )
    return Residual(branch, inputs, width, stride)


def _bottleneck_layers(inputs: int, width: int, stride: int, middle: int, groups: int) -> list[nn.Module]:
    return [
        *_conv_bn(inputs, middle, 1),
        nn.ReLU(inplace=True),
        *_conv_bn(middle, middle, 3, stride, groups),
        nn.ReLU(inplace=True),
        *_conv_bn(middle, 4 * width, 1),
    ]


def _bottleneck(inputs: int, width: int, stride: int) -> Residual:
    branch = nn.Sequential(*_bottleneck_layers(inputs, width, stride, width, groups=1))
    return Residual(branch, inputs, 4 * width, stride)


def _grouped_bottleneck(inputs: int, width: int, stride: int) -> Residual:
    """32 groups of 4 channels in the first stage, doubling with the stages."""
    branch = nn.Sequential(*_bottleneck_layers(inputs, width, stride, 2 * width, groups=32))
    return Residual(branch, inputs, 4 * width, stride)


class SqueezeExcite(nn.Module):
    """Each map times a weight in (0, 1) that follows from the means of all maps."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, channels // reduction),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels),
            nn.Sigmoid(),
            nn.Unflatten(1, (channels, 1, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        weighed: Tensor = x * self.weigh(x)
        return weighed


def _se_bottleneck(inputs: int, width: int, stride: int) -> Residual:
    layers = _bottleneck_layers(inputs, width, stride, width, groups=1)
    branch = nn.Sequential(*layers, SqueezeExcite(4 * width))
    return Residual(branch, inputs, 4 * width, stride)


Block = Callable[[int, int, int], Residual]


def _resnet(blocks: tuple[int, ...], block: Block, expansion: int) -> nn.Module:
    """Stem, four stages of blocks, global average, class scores; 3x224x224 in."""
    layers: list[nn.Module] = [*_conv_bn(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, padding=1)]
    channels = 64
    for stage, repeats in enumerate(blocks):
        width = 64 * 2**stage
        for position in range(repeats):
            stride = 2 if stage > 0 and position == 0 else 1
            layers.append(block(channels, width, stride))
            channels = width * expansion
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


def resnet18() -> nn.Module:
    """11,689,512 parameters."""
    return _resnet((2, 2, 2, 2), _basic, 1)


def resnet34() -> nn.Module:
    """21,797,672 parameters."""
    return _resnet((3, 4, 6, 3), _basic, 1)


def resnet50() -> nn.Module:
    """25,557,032 parameters."""
    return _resnet((3, 4, 6, 3), _bottleneck, 4)


def resnet101() -> nn.Module:
    """44,549,160 parameters."""
    return _resnet((3, 4, 23, 3), _bottleneck, 4)


def resnet152() -> nn.Module:
    """60,192,808 parameters."""
    return _resnet((3, 8, 36, 3), _bottleneck, 4)


def resnext50() -> nn.Module:
    """ResNeXt-50 32x4d: 25,028,904 parameters."""
    return _resnet((3, 4, 6, 3), _grouped_bottleneck, 4)


def se_resnet50() -> nn.Module:
    """28,088,024 parameters."""
    return _resnet((3, 4, 6, 3), _se_bottleneck, 4)
