"""What works on patches: MLP-Mixer (Tolstikhin et al. 2021), ResMLP (Touvron et al. 2021), gMLP and Swin (Liu et al.
2021, two papers).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCHES = 14 * 14


class Patches(nn.Module):
    """16x16 pixels each, [B, N, C]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(3, width, 16, 16)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(x)
        return y.flatten(2).mT


def mlp(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


class Head(nn.Module):
    """Norm, mean over the patches, class scores."""

    def __init__(self, norm: nn.Module, width: int) -> None:
        super().__init__()
        self.norm, self.scores = norm, nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.scores(self.norm(x).mean(1))
        return scores


class Mixer(nn.Module):
    """Figure 1: an MLP over the patches, one over the channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.patches = nn.LayerNorm(width, eps=1e-6), mlp(PATCHES, width // 2)
        self.norm2, self.channels = nn.LayerNorm(width, eps=1e-6), mlp(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.patches(self.norm1(x).mT).mT
        y: Tensor = x + self.channels(self.norm2(x))
        return y


def mixer_s16() -> nn.Module:
    """18,528,264 parameters."""
    return nn.Sequential(Patches(512), *(Mixer(512) for _ in range(8)), Head(nn.LayerNorm(512, eps=1e-6), 512))


class Affine(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.alpha, self.beta = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.alpha * x + self.beta


class ResMLP(nn.Module):
    """Equations 2 and 3: one matrix over the patches, an MLP over the channels, both scaled by a little at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.affine1, self.patches = Affine(width), nn.Linear(PATCHES, PATCHES)
        self.affine2, self.channels = Affine(width), mlp(width, 4 * width)
        self.scale1, self.scale2 = (nn.Parameter(torch.full((width,), 0.1)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.patches(self.affine1(x).mT).mT * self.scale1
        y: Tensor = x + self.channels(self.affine2(x)) * self.scale2
        return y


def resmlp12() -> nn.Module:
    """15,350,872 parameters."""
    return nn.Sequential(Patches(384), *(ResMLP(384) for _ in range(12)), Head(Affine(384), 384))


class GatedMLP(nn.Module):
    """Figure 1: between two FC half of the channels, mixed over the patches, multiplies the other half."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm, self.widen = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, hidden)
        self.gate_norm, self.gate = nn.LayerNorm(hidden // 2), nn.Linear(PATCHES, PATCHES)
        self.narrow = nn.Linear(hidden // 2, width)

    def forward(self, x: Tensor) -> Tensor:
        u, v = functional.gelu(self.widen(self.norm(x))).chunk(2, -1)
        y: Tensor = x + self.narrow(u * self.gate(self.gate_norm(v).mT).mT)
        return y


def gmlp_s16() -> nn.Module:
    """19,422,656 parameters."""
    return nn.Sequential(
        Patches(256), *(GatedMLP(256, 1536) for _ in range(30)), Head(nn.LayerNorm(256, eps=1e-6), 256)
    )


class SwinAttention(nn.Module):
    """Attention in windows of 7x7 of a map [B, H, W, C] that is rolled by `shift`; scores depend on offsets."""

    def __init__(self, width: int, heads: int, shift: int) -> None:
        super().__init__()
        self.heads, self.shift = heads, shift
        self.project, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.offsets = nn.Parameter(torch.zeros(13 * 13, heads))

    def forward(self, x: Tensor) -> Tensor:
        batch, high, wide, width = x.shape
        bias = self._bias()
        shift = self.shift if high > 7 else 0
        tiles = (batch, high // 7, 7, wide // 7, 7)
        x = x.roll((-shift, -shift), (1, 2)).reshape(*tiles, width).transpose(2, 3).reshape(-1, 49, width)
        q, k, v = self.project(x).reshape(-1, 49, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.mT / (width // self.heads) ** 0.5 + bias
        if shift:
            apart = self._apart(high, wide).repeat(batch, 1, 1)[:, None]
            scores = scores.masked_fill(apart, -100.0)
        x = self.join((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        x = x.reshape(batch, high // 7, wide // 7, 7, 7, width).transpose(2, 3).reshape(batch, high, wide, width)
        return x.roll((shift, shift), (1, 2))

    def _bias(self) -> Tensor:
        """[heads, 49, 49]: a number for each way from one pixel of a window to another."""
        rows, columns = torch.arange(49) // 7, torch.arange(49) % 7
        index = (rows[:, None] - rows + 6) * 13 + columns[:, None] - columns + 6
        return self.offsets[index].permute(2, 0, 1)

    def _apart(self, high: int, wide: int) -> Tensor:
        """[windows, 49, 49]: pixels that the roll brought together from opposite edges."""

        def bands(size: int) -> Tensor:
            return (torch.arange(size) >= size - 7).int() + (torch.arange(size) >= size - self.shift).int()

        regions = 3 * bands(high)[:, None] + bands(wide)
        regions = regions.reshape(high // 7, 7, wide // 7, 7).transpose(1, 2).reshape(-1, 49)
        return regions[:, :, None] != regions[:, None]


class SwinBlock(nn.Module):
    """Figure 3b."""

    def __init__(self, width: int, heads: int, shift: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(nn.LayerNorm(width), SwinAttention(width, heads, shift))
        self.think = nn.Sequential(nn.LayerNorm(width), *mlp(width, 4 * width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(x)
        y: Tensor = x + self.think(x)
        return y


class Merge(nn.Module):
    """Four neighbours become one: top left, bottom left, top right, bottom right."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(nn.LayerNorm(4 * width), nn.Linear(4 * width, 2 * width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        four = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged: Tensor = self.reduce(torch.cat(four, -1))
        return merged


class Swin(nn.Module):
    def __init__(self, width: int, depths: tuple[int, ...], heads: tuple[int, ...]) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, width, 4, 4), nn.LayerNorm(width)
        blocks: list[nn.Module] = []
        for stage, (depth, number) in enumerate(zip(depths, heads, strict=True)):
            if stage:
                blocks.append(Merge(width))
                width *= 2
            blocks += [SwinBlock(width, number, 3 * (place % 2)) for place in range(depth)]
        self.blocks, self.last, self.scores = nn.Sequential(*blocks), nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.patches(x).permute(0, 2, 3, 1))
        scores: Tensor = self.scores(self.last(self.blocks(x)).mean((1, 2)))
        return scores


def swin_t() -> nn.Module:
    """28,288,354 parameters."""
    return Swin(96, (2, 2, 6, 2), (3, 6, 12, 24))
