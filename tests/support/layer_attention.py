"""MHSA in torch, written by hand for the layer contract: over [B, N, C], to another one, or tiles of [B, C, H, W]."""

from typing import Any

import torch
from torch import Tensor, nn

from archspec.graph.volume import Volume


class Attention(nn.Module):
    """Self-attention over [B, N, C]; `allowed` says who sees whom, `bias` is added to the scores."""

    def __init__(self, layer: Any, channels: int) -> None:
        super().__init__()
        self.heads, self.causal = layer.heads, layer.causal
        width = layer.width or channels
        self.qkv = nn.Linear(channels, 3 * width, bias=layer.bias and layer.qkv_bias)
        self.proj = nn.Linear(width, channels, bias=layer.bias)

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
        places = torch.arange(x.shape[1])
        return self.attend(x, places[:, None] >= places if self.causal else None)


class CrossAttention(nn.Module):
    """Queries from one sequence, keys and values from `kv`, or from `k` and `v`."""

    def __init__(self, layer: Any, channels: int, *given: int) -> None:
        super().__init__()
        self.heads, width = layer.heads, layer.width or channels
        self.q = nn.Linear(channels, width, bias=layer.bias and layer.qkv_bias)
        for word, others in zip(layer.given, given, strict=True):
            outputs = 2 * width if word == "kv" else width
            self.add_module(word, nn.Linear(others, outputs, bias=layer.bias and layer.qkv_bias))
        self.proj = nn.Linear(width, channels, bias=layer.bias)

    def forward(self, x: Tensor, *given: Tensor) -> Tensor:
        if len(given) == 1:
            told = self.get_submodule("kv")(given[0]).chunk(2, dim=-1)
        else:
            told = (self.get_submodule("k")(given[0]), self.get_submodule("v")(given[1]))
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.q(x), *told))
        shares = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(dim=-1)
        joined: Tensor = self.proj((shares @ v).transpose(1, 2).flatten(2))
        return joined


class GridAttention(Attention):
    """MaxViT's: pixels as far apart as there are grids; each grid is gathered by the numbers of its pixels."""

    def __init__(self, layer: Any, channels: int, spatial: tuple[int, ...]) -> None:
        super().__init__(layer, channels)
        high, wide = spatial
        down, across = high // layer.grid, wide // layer.grid
        numbers = torch.arange(high * wide).view(high, wide)
        grids = [numbers[row::down, column::across].flatten() for row in range(down) for column in range(across)]
        self.register_buffer("grids", torch.stack(grids), persistent=False)
        self.side = layer.grid
        self.relative_position_bias_table: nn.Parameter | None = None
        if layer.relpos:
            offsets = (2 * self.side - 1) ** 2
            self.relative_position_bias_table = nn.Parameter(torch.zeros(offsets, layer.heads))

    def forward(self, x: Tensor) -> Tensor:
        grids = self.get_buffer("grids")
        pixels = x.flatten(2).transpose(1, 2)
        seen = self.attend(
            pixels[:, grids].flatten(0, 1), None, offset_bias(self.relative_position_bias_table, self.side)
        )
        result = torch.empty_like(pixels)
        result[:, grids] = seen.unflatten(0, (len(x), -1))
        return result.transpose(1, 2).view_as(x)


def offset_bias(table: Tensor | None, side: int) -> Tensor | None:
    """[heads, N, N]: the row of the table for how far two pixels are apart."""
    if table is None:
        return None
    places = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    offsets = places[:, None] - places + side - 1
    return table[offsets[..., 0] * (2 * side - 1) + offsets[..., 1]].permute(2, 0, 1)


class WindowAttention(Attention):
    """Swin's: windows of a rolled map; two pixels that the roll brought together do not see each other."""

    def __init__(self, layer: Any, channels: int) -> None:
        super().__init__(layer, channels)
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

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        batch, high, wide, _ = x.shape
        roll = tuple(0 if self.side >= size else self.shift for size in (high, wide))
        places = torch.cartesian_prod(torch.arange(high), torch.arange(wide)).view(1, high, wide, 2)
        places = self._windows(places.roll((-roll[0], -roll[1]), (1, 2)))
        near = ((places[:, :, None] - places[:, None]).abs() < self.side).all(dim=-1)
        windows = self._windows(x.roll((-roll[0], -roll[1]), (1, 2)))
        y = self.attend(
            windows, near.repeat(batch, 1, 1)[:, None], offset_bias(self.relative_position_bias_table, self.side)
        )
        y = y.view(batch, high // self.side, wide // self.side, self.side, self.side, -1).transpose(2, 3)
        return y.reshape(batch, high, wide, -1).roll(roll, (1, 2)).permute(0, 3, 1, 2)


def attention(layer: Any, inputs: tuple[Volume, ...]) -> nn.Module:
    channels = inputs[0].channels
    if layer.given:
        return CrossAttention(layer, *(volume.channels for volume in inputs))
    if layer.grid:
        return GridAttention(layer, channels, inputs[0].spatial)
    return WindowAttention(layer, channels) if layer.window else Attention(layer, channels)
