"""VGG: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition" (2014)."""

from __future__ import annotations

from torch import nn

__all__ = ["vgg11", "vgg13", "vgg16", "vgg19"]

_CHANNELS = (64, 128, 256, 512, 512)


def _vgg(convolutions: tuple[int, ...]) -> nn.Module:
    """Table 1: stages of 3x3 convolutions, each closed by a 2x2 pool; 3x224x224 in, 1000 class scores out."""
    layers: list[nn.Module] = []
    channels = 3
    for width, repeats in zip(_CHANNELS, convolutions, strict=True):
        for _ in range(repeats):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(512 * 7 * 7, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(4096, 1000),
    )


def vgg11() -> nn.Module:
    """Configuration A: 132,863,336 parameters."""
    return _vgg((1, 1, 2, 2, 2))


def vgg13() -> nn.Module:
    """Configuration B: 133,047,848 parameters."""
    return _vgg((2, 2, 2, 2, 2))


def vgg16() -> nn.Module:
    """Configuration D: 138,357,544 parameters."""
    return _vgg((2, 2, 3, 3, 3))


def vgg19() -> nn.Module:
    """Configuration E: 143,667,240 parameters."""
    return _vgg((2, 2, 4, 4, 4))
