"""FC on a map: its module sees the map flattened, channel by channel."""

from __future__ import annotations

from torch import nn

from archspec.compiler.lowering.modules.registry import lowers
from archspec.graph.volume import Volume
from archspec.layers.linear import FullyConnected


@lowers(FullyConnected)
def fully_connected(layer: FullyConnected, volume: Volume) -> nn.Module:
    """One weight matrix for the whole map."""
    return nn.Linear(volume.values, layer.features, layer.bias is not False)
