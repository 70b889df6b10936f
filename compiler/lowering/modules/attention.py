"""MHSA in torch: over a sequence, to another one, or within windows or grids of a map.

In: the layer and its volumes. Out: modules whose matrices have the layer's names, `qkv` and `proj`, or `q`, `kv`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.attention import Attention


class MultiHead(nn.Module):
    """softmax(Q K^T / sqrt(d)) V for each head (Vaswani et al. 2017)."""

    def __init__(self, layer: Attention, *volumes: Volume) -> None:
        super().__init__()
        self.heads = layer.heads
        shapes = {tensor.name: tensor.shape for tensor in layer.tensors(volumes)}
        for name, shape in shapes.items():
            matrix, kind = name.rpartition(".")[::2]
            if kind == "weight":
                self.add_module(matrix, nn.Linear(shape[1], shape[0], f"{matrix}.bias" in shapes))

    def parts(self, matrix: str, input: Tensor, count: int = 1) -> tuple[Tensor, ...]:
        """Queries, keys or values of [B, N, C], each [B, heads, N, d]; `count` lie side by side."""
        mixed: Tensor = self.get_submodule(matrix)(input)
        heads: Tensor = mixed.unflatten(-1, (count, self.heads, -1))
        return heads.permute(2, 0, 3, 1, 4).unbind(0)

    def joined(self, seen: Tensor) -> Tensor:
        """The results of the heads, mixed: [B, N, C]."""
        result: Tensor = self.get_submodule("proj")(seen.transpose(1, 2).flatten(2))
        return result


class SelfAttention(MultiHead):
    """Each vector of [B, N, C] attends to all, or to those up to itself."""

    def __init__(self, layer: Attention, *volumes: Volume) -> None:
        super().__init__(layer, *volumes)
        self.causal = layer.causal

    def forward(self, input: Tensor) -> Tensor:
        """Attend."""
        return self.attend(input, None)

    def attend(self, input: Tensor, added: Tensor | None) -> Tensor:
        """Attend, with `added` added to the scores."""
        query, key, value = self.parts("qkv", input, 3)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=added, is_causal=self.causal)
        return self.joined(seen)


class CrossAttention(MultiHead):
    """Each vector of [B, N, C] attends to the vectors of another sequence, or of two."""

    def forward(self, input: Tensor, *given: Tensor) -> Tensor:
        """Attend: keys and values come from the same sequence, or from one each."""
        (query,) = self.parts("q", input)
        if len(given) == 1:
            key, value = self.parts("kv", given[0], 2)
        else:
            (key,), (value,) = self.parts("k", given[0]), self.parts("v", given[1])
        return self.joined(functional.scaled_dot_product_attention(query, key, value))


class TiledAttention(SelfAttention):
    """Within windows of a map [B, C, H, W] that may begin `shift` pixels later, or grids spread over it.

    A shift rolls the map; pixels that the roll brings together from opposite edges do not see each other (Swin, Liu et
    al. 2021). The pixels of a grid are as far apart as there are grids along an axis (MaxViT, Tu et al. 2022).
    """

    mask: Tensor | None
    offsets: Tensor | None

    def __init__(self, layer: Attention, volume: Volume) -> None:
        super().__init__(layer, volume)
        assert layer.side is not None
        self.side = layer.side
        self.is_grid = layer.grid is not None
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
        side, rows, columns = self.side, self.rows, self.columns
        if self.is_grid:
            spread = pixels.reshape(-1, side, rows, side, columns, pixels.shape[-1])
            return spread.permute(0, 2, 4, 1, 3, 5).flatten(3, 4).flatten(0, 2)
        tiles = pixels.reshape(-1, rows, side, columns, side, pixels.shape[-1])
        return tiles.transpose(2, 3).flatten(3, 4).flatten(0, 2)

    def _put_together(self, tiles: Tensor, batch: int) -> Tensor:
        """[B * windows, N, C] as [B, H, W, C]."""
        apart = tiles.view(batch, self.rows, self.columns, self.side, self.side, -1)
        placed = apart.permute(0, 3, 1, 4, 2, 5) if self.is_grid else apart.transpose(2, 3)
        return placed.flatten(3, 4).flatten(1, 2)

    def _added(self, batch: int) -> Tensor | None:
        """What is added to the scores: [B * windows or 1, heads or 1, N, N]."""
        count = self.side**2
        added = None if self.mask is None else self.mask.repeat(batch, 1, 1, 1)
        if self.relative_position_bias_table is None or self.offsets is None:
            return added
        bias = self.relative_position_bias_table[self.offsets].view(count, count, -1).permute(2, 0, 1)[None]
        return bias if added is None else added + bias

    def forward(self, input: Tensor) -> Tensor:
        """Roll, cut into windows or grids, attend, join, roll back."""
        batch = input.shape[0]
        pixels = input.permute(0, 2, 3, 1)
        if self.mask is not None:
            pixels = pixels.roll((-self.shifts[0], -self.shifts[1]), (1, 2))
        pixels = self._put_together(self.attend(self._cut(pixels), self._added(batch)), batch)
        if self.mask is not None:
            pixels = pixels.roll(self.shifts, (1, 2))
        return pixels.permute(0, 3, 1, 2)


@lowers(Attention)
def attention(layer: Attention, *volumes: Volume) -> nn.Module:
    """Attention over a sequence, to another one, or within tiles of a map."""
    if layer.given:
        return CrossAttention(layer, *volumes)
    return SelfAttention(layer, *volumes) if layer.side is None else TiledAttention(layer, *volumes)
