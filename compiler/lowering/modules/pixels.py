"""SHIFT: groups of channels moved by a pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.pixels import Shift


@lowers(Shift)
class SpatialShift(nn.Module):
    """SHIFT: four groups of channels moved by a pixel; the edge keeps its values."""

    def __init__(self, layer: Shift, volume: Volume) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Move down, up, right, left."""
        down, up, right, left = input.chunk(4, dim=1)
        return torch.cat(
            [
                torch.cat([down[:, :, :1], down[:, :, :-1]], dim=2),
                torch.cat([up[:, :, 1:], up[:, :, -1:]], dim=2),
                torch.cat([right[..., :1], right[..., :-1]], dim=3),
                torch.cat([left[..., 1:], left[..., -1:]], dim=3),
            ],
            dim=1,
        )
