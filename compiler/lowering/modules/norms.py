"""Normalisations of volumes that torch's own modules do not take: BN of a sequence, LN of a map. BN over processes."""

from __future__ import annotations

from torch import Tensor, nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.norm import BatchNorm, LayerNorm


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


def synchronised(module: nn.Module) -> None:
    """Replace each BN of a module by torch's SyncBatchNorm, with the same weights under the same names."""
    of_sequences = {name: part for name, part in module.named_modules() if isinstance(part, SequenceBatchNorm)}
    nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for name, part in of_sequences.items():  # whose transposition torch does not know
        made = SequenceSyncBatchNorm(part.num_features, part.eps, part.momentum, device=part.weight.device)
        made.load_state_dict(part.state_dict())
        module.set_submodule(name, made.train(part.training))
