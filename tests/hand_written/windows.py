"""MaxViT (Tu et al. 2022) with TensorFlow's padding: attention near, within windows, and far, on a grid."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .parts import SqueezeExcite

SIDE = 7


class Partial(nn.Module):
    """Attention among 7x7 pixels of a map [B, H, W, C]: neighbours, or as far apart as a grid of 7x7 cells is wide."""

    def __init__(self, width: int, far: bool) -> None:
        super().__init__()
        self.far, self.norm = far, nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.offsets = nn.Parameter(torch.zeros((2 * SIDE - 1) ** 2, width // 32))

    def forward(self, x: Tensor) -> Tensor:
        high, wide = x.shape[1] // SIDE, x.shape[2] // SIDE
        cut = "b a i c j f" if self.far else "b i a j c f"  # i, j: which part; a, c: which pixel of it
        parts = self.norm(x).unflatten(2, (SIDE, wide) if self.far else (wide, SIDE))
        parts = parts.unflatten(1, (SIDE, high) if self.far else (high, SIDE))
        order = [cut.split().index(axis) for axis in "bijacf"]
        seen = self.attend(parts.permute(order).flatten(3, 4).flatten(0, 2))
        back = seen.view(len(x), high, wide, SIDE, SIDE, -1).permute([order.index(axis) for axis in range(6)])
        y: Tensor = back.flatten(3, 4).flatten(1, 2)
        return y

    def attend(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, -1, 32)).permute(2, 0, 3, 1, 4)
        rows, columns = torch.arange(SIDE**2) // SIDE, torch.arange(SIDE**2) % SIDE
        down, right = (place[:, None] - place[None, :] + SIDE - 1 for place in (rows, columns))
        bias = self.offsets[down * (2 * SIDE - 1) + right].permute(2, 0, 1)
        y: Tensor = self.proj(((q @ k.mT / 32**0.5 + bias).softmax(-1) @ v).transpose(1, 2).flatten(2))
        return y


class Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.widen, self.narrow = (
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(functional.gelu(self.widen(self.norm(x)), approximate="tanh"))
        return y


class Same(nn.Module):
    """A convolution that pads as TensorFlow does: at stride 2 only after the map."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(functional.pad(x, (0, 1, 0, 1) if self.conv.stride[0] == 2 else (1, 1, 1, 1)))
        return y


def gelu() -> nn.Module:
    return nn.GELU(approximate="tanh")


class Unit(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        wide = 4 * width
        self.conv = nn.Sequential(
            *(nn.BatchNorm2d(inputs, eps=1e-3), nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide, eps=1e-3)),
            *(gelu(), Same(nn.Conv2d(wide, wide, 3, stride, groups=wide, bias=False)), nn.BatchNorm2d(wide, eps=1e-3)),
            *(gelu(), SqueezeExcite(wide, width // 4, nn.SiLU()), nn.Conv2d(wide, width, 1)),
        )
        skip: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        self.skip = nn.Sequential(*skip, *([nn.Conv2d(inputs, width, 1)] if inputs != width else []))
        self.rest = nn.ModuleList([Partial(width, False), Mlp(width), Partial(width, True), Mlp(width)])

    def forward(self, x: Tensor) -> Tensor:
        x = (self.conv(x) + self.skip(x)).permute(0, 2, 3, 1)
        for part in self.rest:
            x = x + part(x)
        return x.permute(0, 3, 1, 2)


def maxvit_tiny() -> nn.Module:
    """30,916,528 parameters."""
    stem = (Same(nn.Conv2d(3, 64, 3, 2)), nn.BatchNorm2d(64, eps=1e-3), gelu(), nn.Conv2d(64, 64, 3, padding=1))
    units: list[nn.Module] = []
    before = 64
    for width, count in ((64, 2), (128, 2), (256, 5), (512, 2)):
        units += [Unit(before, width, 2), *(Unit(width, width, 1) for _ in range(count - 1))]
        before = width
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(512), nn.Linear(512, 512), nn.Tanh())
    return nn.Sequential(*stem, *units, *head, nn.Linear(512, 1000))
