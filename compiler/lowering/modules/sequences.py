"""Learned vectors of a sequence: CLS, POSEMBED."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.sequence import ClassToken, PositionEmbedding


@lowers(ClassToken)
class PrependToken(nn.Module):
    """CLS: a learned vector before [B, N, C]."""

    def __init__(self, layer: ClassToken, volume: Volume) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(volume.channels))

    def forward(self, input: Tensor) -> Tensor:
        """Prepend it."""
        return torch.cat([self.weight.expand(input.shape[0], 1, -1), input], dim=1)


@lowers(PositionEmbedding)
class AddPositions(nn.Module):
    """POSEMBED: a learned vector for each position."""

    def __init__(self, layer: PositionEmbedding, volume: Volume) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(layer.tensors((volume,))[0].shape))
        self.weight.decays = False  # type: ignore[attr-defined]  # a bias of each position

    def forward(self, input: Tensor) -> Tensor:
        """Add them."""
        return input + self.weight
