"""DROPPATH: stochastic depth."""

from __future__ import annotations

from torch import Tensor, nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.dropout import DropPath


@lowers(DropPath)
class StochasticDepth(nn.Module):
    """DROPPATH: a mask of zeros and 1/(1-p), one number per image."""

    def __init__(self, layer: DropPath, volume: Volume) -> None:
        super().__init__()
        self.p = layer.p

    def forward(self, input: Tensor) -> Tensor:
        """Drop whole images in training; return the input itself otherwise."""
        if not self.training or self.p == 0:
            return input
        mask = input.new_empty((input.shape[0],) + (1,) * (input.dim() - 1))
        return input * mask.bernoulli_(1 - self.p).div_(1 - self.p)
