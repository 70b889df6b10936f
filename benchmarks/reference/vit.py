"""Vision Transformer: Dosovitskiy et al., "An image is worth 16x16 words" (2020), ViT-B/16."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["vit_b16"]


class SelfAttention(nn.Module):
    """Multi-head self-attention with one projection to queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = self.project(x).reshape(batch, length, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        y = scaled_dot_product_attention(queries, keys, values)
        joined: Tensor = self.join(y.transpose(1, 2).reshape(batch, length, width))
        return joined


class Encoder(nn.Module):
    """Figure 1, right: attention and MLP, each behind a layer norm and added to what entered it."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(nn.LayerNorm(width, eps=1e-6), SelfAttention(width, heads))
        self.think = nn.Sequential(
            nn.LayerNorm(width, eps=1e-6), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(x)
        y: Tensor = x + self.think(x)
        return y


class VisionTransformer(nn.Module):
    """3x224x224 in; the class token's final state is classified."""

    def __init__(self, width: int, depth: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, stride=16)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, 197, width))
        self.encoders = nn.Sequential(*(Encoder(width, heads, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.scores = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(patches.shape[0], -1, -1), patches], 1) + self.positions
        scores: Tensor = self.scores(self.norm(self.encoders(x))[:, 0])
        return scores


def vit_b16() -> nn.Module:
    """86,567,656 parameters."""
    return VisionTransformer(width=768, depth=12, heads=12, hidden=3072)
