"""The terms in which a layer states its need of memory: what it asks for, a `Demand`, where it stands, an `Operation`.

Sizes are bytes, for the whole batch. Everything is float32 but indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from archspec.graph.volume import Volume
from archspec.layers.base import Layer
from archspec.layers.norm import LayerNorm

FLOAT = 4
INDEX = 8

# whose storage a result or a gradient is
NEW = 0  # its own
SAME = 1  # the first input's; of a gradient: the very one that arrived
PART = 2  # of a gradient: a window on the one that arrived
TURNED = 3  # of a gradient: the one that arrived, with its values in another order


class Demand(NamedTuple):
    """Bytes of one operation in one step; a spike is what it adds at its worst, its results included.

    `is_view`: the result is a view of another tensor. Writing into one is allowed, but autograd then copies the
    gradient twice, so that nothing is won (`AsStridedBackward`, `CopySlices`). `scattered` is what the backward spike
    has more where the gradient arrives in pieces, as a window on a larger one, or in another order. (A tuple because
    hundreds are made, each with a few of its fields.)
    """

    output: int = NEW
    gradient: int = NEW
    keeps_inputs: bool = False
    keeps_output: bool = False
    is_view: bool = False
    keeps: int = 0
    forward_spike: int = 0
    backward_spike: int = 0
    scattered: int = 0


class Operation:
    """What torch runs for a layer, or for a part of one.

    `learns`: its result depends on a parameter, so that it is part of the backward pass. `continues`: gradients go
    further back than here. `channels_last`: the input lies pixel by pixel in memory, because an LN over the channels
    of a map left it so.
    """

    __slots__ = (
        "batch",
        "channels_last",
        "continues",
        "index",
        "layer",
        "learns",
        "made",
        "name",
        "read",
        "readers",
        "shapes",
        "sources",
        "volume",
    )

    def __init__(  # noqa: PLR0913, PLR0917  # the fields of a record, which hundreds are made of
        self,
        index: int,
        name: str,
        layer: Layer,
        sources: Sequence[Operation],
        volume: Volume,
        shapes: tuple[tuple[int, ...], ...],
        batch: int,
    ) -> None:
        self.index = index  # in the list of operations
        self.name = name
        self.layer = layer
        self.sources = sources
        self.volume = volume
        self.shapes = shapes  # of the parameters
        self.batch = batch
        self.made = FLOAT * batch * prod(volume)
        self.read = 0
        self.readers = 0
        self.continues: bool = False
        for source in sources:
            source.readers += 1
            self.read += source.made
            self.continues = self.continues or source.learns
        self.learns: bool = self.continues or bool(shapes)
        self.channels_last = bool(sources) and sources[0].leaves_channels_last

    @property
    def leaves_channels_last(self) -> bool:
        """Whether its result lies pixel by pixel."""
        return self.channels_last or (type(self.layer) is LayerNorm and self.volume.is_map)

    @property
    def weight(self) -> int:
        """Bytes of the first parameter."""
        return FLOAT * prod(self.shapes[0])
