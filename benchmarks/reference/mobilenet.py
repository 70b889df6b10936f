"""MobileNetV1 (Howard et al. 2017) and V2 (Sandler et al. 2018), at width 1."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["mobilenet_v1", "mobilenet_v2"]


def _conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def _head() -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]


def mobilenet_v1() -> nn.Module:
    """Table 1: thirteen pairs of a depthwise 3x3 and a 1x1; 4,231,976 parameters."""
    layers = [*_conv_bn(3, 32, 3, 2), nn.ReLU6()]
    channels = 32
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for width, stride in plan:
        layers += [*_conv_bn(channels, channels, 3, stride, channels), nn.ReLU6()]
        layers += [*_conv_bn(channels, width, 1), nn.ReLU6()]
        channels = width
    return nn.Sequential(*layers, *_head(), nn.Linear(channels, 1000))


class InvertedResidual(nn.Module):
    """Figure 4d: widen, filter depthwise, narrow without an activation; added to x where the volume stays."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        widen = [*_conv_bn(inputs, width, 1), nn.ReLU6()] if expansion > 1 else []
        self.branch = nn.Sequential(
            *widen, *_conv_bn(width, width, 3, stride, width), nn.ReLU6(), *_conv_bn(width, outputs, 1)
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.branch(x)
        if self.adds:
            y += x
        return y


def mobilenet_v2() -> nn.Module:
    """Table 2; 3,504,872 parameters."""
    layers: list[nn.Module] = [*_conv_bn(3, 32, 3, 2), nn.ReLU6()]
    channels = 32
    plan = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
    plan += [(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, width, repeats, first_stride in plan:
        for position in range(repeats):
            stride = first_stride if position == 0 else 1
            layers.append(InvertedResidual(channels, width, stride, expansion))
            channels = width
    layers += [*_conv_bn(channels, 1280, 1), nn.ReLU6(), *_head(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, nn.Linear(1280, 1000))
