"""MHSA in torch, written by hand for the layer contract: over [B, N, C], or within the windows of [B, C, H, W]."""

from typing import Any

import torch
from torch import Tensor, nn

from archspec.graph.volume import Volume


class Attention(nn.Module):
    """Self-attention over [B, N, C]; `allowed` says who sees whom, `bias` is added to the scores."""

    def __init__(self, heads: int, channels: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def attend(self, x: Tensor, allowed: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        heads = (self.heads, -1)
        q, k, v = (part.unflatten(-1, heads).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        if bias is not None:
            scores = scores + bias
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -torch.inf)
        joined: Tensor = self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2))
        return joined

    def forward(self, x: Tensor) -> Tensor:
        return self.attend(x)


class WindowAttention(Attention):
    """Swin's: windows of a rolled map; two pixels that the roll brought together do not see each other."""

    def __init__(self, layer: Any, channels: int) -> None:
        super().__init__(layer.heads, channels)
        self.side, self.shift = layer.window, layer.shift
        self.relative_position_bias_table: nn.Parameter | None = None
        if layer.relpos:
            offsets = (2 * self.side - 1) ** 2
            self.relative_position_bias_table = nn.Parameter(torch.zeros(offsets, layer.heads))

    def _windows(self, x: Tensor) -> Tensor:
        """[B, H, W, ...] as [B*windows, side*side, ...]."""
        batch, high, wide, last = x.shape
        tiles = x.reshape(batch, high // self.side, self.side, wide // self.side, self.side, last)
        return tiles.transpose(2, 3).flatten(3, 4).flatten(0, 2)

    def _bias(self) -> Tensor | None:
        if self.relative_position_bias_table is None:
            return None
        side, places = self.side, torch.cartesian_prod(torch.arange(self.side), torch.arange(self.side))
        offsets = places[:, None] - places + side - 1
        rows = self.relative_position_bias_table[offsets[..., 0] * (2 * side - 1) + offsets[..., 1]]
        return rows.permute(2, 0, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        batch, high, wide, _ = x.shape
        roll = tuple(0 if self.side >= size else self.shift for size in (high, wide))
        places = torch.cartesian_prod(torch.arange(high), torch.arange(wide)).view(1, high, wide, 2)
        places = self._windows(places.roll((-roll[0], -roll[1]), (1, 2)))
        near = ((places[:, :, None] - places[:, None]).abs() < self.side).all(dim=-1)
        windows = self._windows(x.roll((-roll[0], -roll[1]), (1, 2)))
        y = self.attend(windows, near.repeat(batch, 1, 1)[:, None], self._bias())
        y = y.view(batch, high // self.side, wide // self.side, self.side, self.side, -1).transpose(2, 3)
        return y.reshape(batch, high, wide, -1).roll(roll, (1, 2)).permute(0, 3, 1, 2)


def attention(layer: Any, inputs: tuple[Volume, ...]) -> nn.Module:
    channels = inputs[0].channels
    return WindowAttention(layer, channels) if layer.window else Attention(layer.heads, channels)
