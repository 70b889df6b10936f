"""MHSA in torch: over a sequence, or within windows of a map.

In: the layer and its volume. Out: modules with `qkv` and `proj`, and the layer's other parameters by name.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.attention import Attention


class SelfAttention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V for each head, over [B, N, C] (Vaswani et al. 2017)."""

    def __init__(self, heads: int, channels: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, input: Tensor) -> Tensor:
        """Let each vector attend to all."""
        return self.attend(input, None)

    def attend(self, input: Tensor, added: Tensor | None) -> Tensor:
        """Attend, with `added` added to the scores."""
        batch, places, channels = input.shape
        parts: Tensor = self.qkv(input).view(batch, places, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=added)
        joined: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return joined


class WindowAttention(SelfAttention):
    """Within windows of a map [B, C, H, W] that may begin `shift` pixels later (Swin, Liu et al. 2021).

    A shift rolls the map; pixels that the roll brings together from opposite edges do not see each other.
    """

    mask: Tensor | None
    offsets: Tensor | None

    def __init__(self, layer: Attention, volume: Volume) -> None:
        super().__init__(layer.heads, volume.channels)
        assert layer.window is not None
        self.side = layer.window
        self.shifts = layer.shifts(volume)
        self.rows, self.columns = (size // self.side for size in volume.spatial)
        self.register_buffer("mask", self._mask(volume) if any(self.shifts) else None, persistent=False)
        self.register_buffer("offsets", self._offsets() if layer.relpos else None, persistent=False)
        self.relative_position_bias_table: nn.Parameter | None = None
        if layer.relpos:
            self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * self.side - 1) ** 2, layer.heads))
            self.relative_position_bias_table.decays = False  # type: ignore[attr-defined]  # for the optimiser

    def _mask(self, volume: Volume) -> Tensor:
        """[windows, 1, N, N]: minus infinity where two pixels of a window were apart before the roll."""
        regions = torch.zeros(1, *volume.spatial, 1)
        cuts = [(0, size - self.side, size - shift) if shift else (0,) for size, shift in zip(volume, self.shifts)]  # noqa: B905
        for number, (top, left) in enumerate((top, left) for top in cuts[0] for left in cuts[1]):
            regions[:, top:, left:] = number
        own = self._cut(regions).flatten(1)
        return torch.where(own[:, None, :, None] == own[:, None, None, :], 0.0, -torch.inf)

    def _offsets(self) -> Tensor:
        """[N * N]: for two pixels of a window, the row of the table for their offset."""
        places = torch.cartesian_prod(torch.arange(self.side), torch.arange(self.side))
        offsets = places[:, None] - places + self.side - 1
        return (offsets[..., 0] * (2 * self.side - 1) + offsets[..., 1]).flatten()

    def _cut(self, pixels: Tensor) -> Tensor:
        """[B, H, W, C] as [B * windows, N, C]."""
        side = self.side
        tiles = pixels.reshape(-1, self.rows, side, self.columns, side, pixels.shape[-1])
        return tiles.transpose(2, 3).flatten(3, 4).flatten(0, 2)

    def _added(self, batch: int) -> Tensor | None:
        """What is added to the scores: [B * windows or 1, heads or 1, N, N]."""
        count = self.side**2
        added = None if self.mask is None else self.mask.repeat(batch, 1, 1, 1)
        if self.relative_position_bias_table is None or self.offsets is None:
            return added
        bias = self.relative_position_bias_table[self.offsets].view(count, count, -1).permute(2, 0, 1)[None]
        return bias if added is None else added + bias

    def forward(self, input: Tensor) -> Tensor:
        """Roll, cut into windows, attend, join, roll back."""
        batch, side = input.shape[0], self.side
        pixels = input.permute(0, 2, 3, 1)
        if self.mask is not None:
            pixels = pixels.roll((-self.shifts[0], -self.shifts[1]), (1, 2))
        seen = self.attend(self._cut(pixels), self._added(batch))
        tiles = seen.view(batch, self.rows, self.columns, side, side, -1).transpose(2, 3)
        pixels = tiles.flatten(3, 4).flatten(1, 2)
        if self.mask is not None:
            pixels = pixels.roll(self.shifts, (1, 2))
        return pixels.permute(0, 3, 1, 2)


@lowers(Attention)
def attention(layer: Attention, volume: Volume) -> nn.Module:
    """Attention over a sequence, or within the windows of a map."""
    return SelfAttention(layer.heads, volume.channels) if layer.window is None else WindowAttention(layer, volume)
