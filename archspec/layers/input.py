"""INPUT: what enters the network."""

from __future__ import annotations

from archspec.layers.base import Layer
from archspec.layers.demand import COPY


class Input(Layer):
    """The image: `[224x224x3] INPUT` or `INPUT: [224x224x3]`. It has no rule: its bracket is its volume."""

    keyword = "INPUT"
    keeps_channels = False
    memory = COPY

    tokens: bool = False  # token ids, which only EMBED reads
