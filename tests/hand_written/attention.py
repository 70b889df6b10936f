"""Attention between channels and places: Woo et al. 2018 and 2023, Zhang et al. 2020, Touvron et al. 2020."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .resolutions import conv_bn


class ChannelsAndPlaces(nn.Module):
    """CBAM: figure 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels))
        self.places = nn.Sequential(
            nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, eps=1e-5, momentum=0.01), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        channels = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * channels.sigmoid()[:, :, None, None]
        places: Tensor = self.places(torch.stack([x.amax(1), x.mean(1)], 1))
        return x * places


class CbamUnit(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.narrow, self.filter = conv_bn(inputs, width, 1), conv_bn(width, width, 3, stride)
        self.widen, self.attend = conv_bn(width, 4 * width, 1), ChannelsAndPlaces(4 * width)
        self.skip = conv_bn(inputs, 4 * width, 1, stride) if inputs != 4 * width or stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.attend(self.widen(self.filter(self.narrow(x).relu()).relu()))
        return functional.relu(y + self.skip(x))


class SplitAttention(nn.Module):
    """Of radix 2: two groups of maps, and for each channel a softmax over the two."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, padding=1, groups=2, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU()
        )
        middle = width // 2
        self.scores = nn.Sequential(
            nn.Conv2d(width, middle, 1), nn.BatchNorm2d(middle), nn.ReLU(), nn.Conv2d(middle, 2 * width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        both = self.maps(x).unflatten(1, (2, -1))
        scores = self.scores(both.sum(1).mean((2, 3), keepdim=True)).unflatten(1, (2, -1))
        chosen: Tensor = (both * scores.softmax(1)).sum(1)
        return chosen


class ResNestUnit(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.narrow, self.attend, self.widen = (
            conv_bn(inputs, width, 1),
            SplitAttention(width),
            conv_bn(width, 4 * width, 1),
        )
        self.halve = nn.AvgPool2d(3, 2, 1) if stride == 2 else nn.Identity()
        skip: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        if inputs != 4 * width:
            skip.append(conv_bn(inputs, 4 * width, 1))
        self.skip = nn.Sequential(*skip)

    def forward(self, x: Tensor) -> Tensor:
        y = self.widen(self.halve(self.attend(self.narrow(x).relu())))
        return functional.relu(y + self.skip(x))


def stages(unit: type[CbamUnit] | type[ResNestUnit]) -> list[nn.Module]:
    """The four of ResNet-50, and its classifier."""
    rows = ((64, 64, 3, 1), (256, 128, 4, 2), (512, 256, 6, 2), (1024, 512, 3, 2))
    units: list[nn.Module] = []
    for inputs, width, count, stride in rows:
        units += [unit(inputs, width, stride), *(unit(4 * width, width, 1) for _ in range(count - 1))]
    return [*units, nn.AdaptiveAvgPool2d(1), nn.Flatten()]


def cbam_resnet50() -> nn.Module:
    """28,089,624 parameters."""
    stem = (conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    return nn.Sequential(*stem, *stages(CbamUnit), nn.Linear(2048, 1000))


def resnest50() -> nn.Module:
    """27,483,240 parameters."""
    convs = (conv_bn(3, 32, 3, 2), nn.ReLU(), conv_bn(32, 32, 3), nn.ReLU(), conv_bn(32, 64, 3), nn.ReLU())
    return nn.Sequential(*convs, nn.MaxPool2d(3, 2, 1), *stages(ResNestUnit), nn.Dropout(0.2), nn.Linear(2048, 1000))


class Encoder(nn.Module):
    """ViT's, of heads with 64 channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // 64
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, 64)).permute(2, 0, 3, 1, 4)
        seen = (q @ k.mT / 8).softmax(-1) @ v
        x = x + self.proj(seen.transpose(1, 2).flatten(2))
        y: Tensor = x + self.mlp(self.norm2(x))
        return y


class Distilled(nn.Module):
    """DeiT with two tokens, the first of the class; in training the scores of both, in use their mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.teacher_token, self.class_token = (nn.Parameter(torch.zeros(1, 1, width)) for _ in range(2))
        self.places = nn.Parameter(torch.zeros(1, 198, width))
        self.encoders = nn.Sequential(*(Encoder(width) for _ in range(12)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.scores, self.teacher = nn.Linear(width, 1000), nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.patches(x).flatten(2).mT
        tokens = [token.expand(len(x), -1, -1) for token in (self.teacher_token, self.class_token)]
        x = self.norm(self.encoders(torch.cat([*reversed(tokens), x], 1) + self.places))
        scores, teacher = self.scores(x[:, 0]), self.teacher(x[:, 1])
        return (scores, teacher) if self.training else (scores + teacher) / 2


class ConvNeXtV2Unit(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.filter, self.norm = nn.Conv2d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width, eps=1e-6)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gamma, self.beta = (nn.Parameter(torch.zeros(4 * width)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.gelu(self.widen(self.norm(self.filter(x).permute(0, 2, 3, 1))))
        energy = y.square().sum((1, 2), keepdim=True).sqrt()
        y = y + (y * (energy / (energy.mean(-1, keepdim=True) + 1e-6)) * self.gamma + self.beta)
        z: Tensor = x + self.narrow(y).permute(0, 3, 1, 2)
        return z


class PixelNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convnext_v2_tiny() -> nn.Module:
    """28,635,496 parameters."""
    parts: list[nn.Module] = [nn.Conv2d(3, 96, 4, 4), PixelNorm(96, eps=1e-6)]
    for place, count in enumerate((3, 3, 9, 3)):
        width = 96 * 2**place
        if place:
            parts += [PixelNorm(width // 2, eps=1e-6), nn.Conv2d(width // 2, width, 2, 2)]
        parts += [ConvNeXtV2Unit(width) for _ in range(count)]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(768, eps=1e-6), nn.Linear(768, 1000))
    return nn.Sequential(*parts, *head)


def dcgan() -> nn.Module:
    """12,658,435 parameters."""
    parts: list[nn.Module] = [nn.Linear(100, 4 * 4 * 1024, bias=False), nn.Unflatten(1, (1024, 4, 4))]
    for width in (1024, 512, 256, 128):
        parts += [nn.BatchNorm2d(width), nn.ReLU(), nn.ConvTranspose2d(width, max(width // 2, 3), 4, 2, 1, bias=False)]
    parts[-1] = nn.ConvTranspose2d(128, 3, 4, 2, 1)
    return nn.Sequential(*parts, nn.Tanh())
