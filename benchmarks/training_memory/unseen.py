"""Networks on which no rule of the memory model was found: they test it on structure that it had not met.

Written by hand in torch, as those of benchmarks/reference. In: nothing. Out: fresh modules, and sizes of one image.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["UNSEEN", "UNSEEN_SIZES"]


def _conv(inputs: int, outputs: int, size: int, stride: int = 1, pad: int = 0) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, pad), nn.ReLU(inplace=True))


class Fire(nn.Module):
    """Squeeze to few channels, then widen by 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeezed: int, widened: int) -> None:
        super().__init__()
        self.squeeze = _conv(inputs, squeezed, 1)
        self.narrow, self.wide = _conv(squeezed, widened, 1), _conv(squeezed, widened, 3, pad=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.narrow(x), self.wide(x)], 1)


def squeezenet() -> nn.Module:
    """SqueezeNet 1.1 (Iandola et al. 2016): 1,235,496 parameters."""

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        *(_conv(3, 64, 3, 2), pool(), Fire(64, 16, 64), Fire(128, 16, 64)),
        *(pool(), Fire(128, 32, 128), Fire(256, 32, 128)),
        *(pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
        *(nn.Dropout(0.5), _conv(512, 1000, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


def nin() -> nn.Module:
    """Network in Network (Lin et al. 2013) for ImageNet: 7,595,176 parameters."""

    def stage(inputs: int, outputs: int, size: int, stride: int, pad: int) -> list[nn.Module]:
        return [_conv(inputs, outputs, size, stride, pad), _conv(outputs, outputs, 1), _conv(outputs, outputs, 1)]

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2)

    return nn.Sequential(
        *(*stage(3, 96, 11, 4, 0), pool(), *stage(96, 256, 5, 1, 2), pool(), *stage(256, 384, 3, 1, 1), pool()),
        *(nn.Dropout(0.5), _conv(384, 1024, 3, 1, 1), _conv(1024, 1024, 1), _conv(1024, 1000, 1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


class PreActivation(nn.Module):
    """BN and ReLU before each convolution; a projection sees what they make (He et al. 2016, figure 1b)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.activate = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True))
        fits = stride == 1 and inputs == outputs
        self.project = None if fits else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.branch = nn.Sequential(
            *(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
            *(nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
            nn.Conv2d(width, outputs, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        activated = self.activate(x)
        y: Tensor = self.branch(activated)
        y += x if self.project is None else self.project(activated)
        return y


def preresnet50() -> nn.Module:
    """25,549,352 parameters."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, repeats in enumerate((3, 4, 6, 3)):
        width = 64 * 2**stage
        for position in range(repeats):
            layers.append(PreActivation(channels, width, 2 if stage and not position else 1))
            channels = 4 * width
    layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 1000))


def plain20() -> nn.Module:
    """The 20-layer network without shortcuts for CIFAR (He et al. 2015, section 4.2): 269,722 parameters."""
    layers: list[nn.Module] = []
    channels = 3
    for position in range(19):
        width = 16 * 2 ** (max(0, position - 1) // 6)
        stride = 2 if width > channels > 3 else 1
        layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


UNSEEN: dict[str, Callable[[], nn.Module]] = {
    "squeezenet": squeezenet,
    "nin": nin,
    "preresnet50": preresnet50,
    "plain20": plain20,
}

UNSEEN_SIZES = {"squeezenet": (3, 224, 224), "nin": (3, 227, 227), "preresnet50": (3, 224, 224), "plain20": (3, 32, 32)}
