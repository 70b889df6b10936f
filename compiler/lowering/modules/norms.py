"""Normalisations that torch does not have: BN of a sequence, LN of a map, GRN. BN over processes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.compiler.lowering.modules.scales import wide
from archspec.graph.volume import Volume
from archspec.layers.norm import BatchNorm, LayerNorm, ResponseNorm


@lowers(BatchNorm)
class SequenceBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of [B, N, C]; torch expects the channels before the positions."""

    def __init__(self, layer: BatchNorm, volume: Volume) -> None:
        super().__init__(volume.channels, layer.eps, layer.momentum)

    def forward(self, input: Tensor) -> Tensor:
        """Transpose, normalise, transpose back."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class SequenceSyncBatchNorm(nn.SyncBatchNorm):
    """The same with batch statistics over all processes."""

    def forward(self, input: Tensor) -> Tensor:
        """Transpose, normalise, transpose back."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


@lowers(LayerNorm)
class PixelNorm(nn.LayerNorm):
    """Layer normalisation of each pixel of [B, C, H, W]."""

    def __init__(self, layer: LayerNorm, volume: Volume) -> None:
        super().__init__(volume.channels, layer.eps)

    def forward(self, input: Tensor) -> Tensor:
        """Permute, normalise, permute back."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@lowers(ResponseNorm)
class GlobalResponseNorm(nn.Module):
    """GRN: x + weight * x * N + bias over [B, C, H, W], computed as x * (1 + weight * N) + bias."""

    def __init__(self, layer: ResponseNorm, volume: Volume) -> None:
        super().__init__()
        self.eps = layer.eps
        self.weight = nn.Parameter(torch.zeros(volume.channels))
        self.bias = nn.Parameter(torch.zeros(volume.channels))

    def forward(self, input: Tensor) -> Tensor:
        """Scale each channel by its norm, relative to the mean of all channels' norms."""
        norms: Tensor = torch.linalg.vector_norm(input, dim=(2, 3), keepdim=True)
        relative: Tensor = norms / (norms.mean(1, keepdim=True) + self.eps)
        return input * (1 + relative * wide(self.weight, input)) + wide(self.bias, input)


def synchronised(module: nn.Module) -> None:
    """Replace each BN of a module by torch's SyncBatchNorm, with the same weights under the same names."""
    of_sequences = {name: part for name, part in module.named_modules() if isinstance(part, SequenceBatchNorm)}
    nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for name, part in of_sequences.items():  # whose transposition torch does not know
        made = SequenceSyncBatchNorm(part.num_features, part.eps, part.momentum, device=part.weight.device)
        made.load_state_dict(part.state_dict())
        module.set_submodule(name, made.train(part.training))
