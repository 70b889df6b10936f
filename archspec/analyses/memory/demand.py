"""The terms in which a layer states its need of memory: `Operation`, `Site` and `Demand`. Data only.

Everything is float32 but indices. Sizes are bytes, for the whole batch.
"""

from __future__ import annotations

from math import prod

from archspec.layers.base import Layer
from archspec.record import Record
from archspec.volume import Volume

FLOAT = 4
INDEX = 8

# whose storage a result or a gradient is
NEW = 0  # its own
SAME = 1  # the first input's; of a gradient: the very one that arrived
PART = 2  # a window on it, which nothing may be added to


class Operation(Record):
    """What torch runs for a layer, or for a part of one; `inputs` are positions in the list of operations."""

    name: str
    layer: Layer
    inputs: tuple[int, ...]
    volumes: tuple[Volume, ...]  # that enter
    volume: Volume  # that leaves
    shapes: tuple[tuple[int, ...], ...]  # of the parameters


class Demand(Record):
    """Bytes of one operation in one step; a spike is what it adds at its worst, its results included.

    `is_view`: the result is a view of another tensor. Writing into one is allowed, but autograd then copies the
    gradient twice, so that nothing is won (`AsStridedBackward`, `CopySlices`). `scattered` is what the backward spike
    has more where the gradient arrives as a window on a larger one.
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


class Site(Record):
    """An operation with what stands around it.

    `learns`: gradients go further back than this operation. `channels_last`: its input lies pixel by pixel in memory.
    """

    operation: Operation
    batch: int
    learns: bool
    channels_last: bool

    @property
    def layer(self) -> Layer:
        """The layer, with its arguments."""
        return self.operation.layer

    @property
    def volume(self) -> Volume:
        """The volume that leaves."""
        return self.operation.volume

    @property
    def read(self) -> int:
        """Bytes of all inputs together."""
        return FLOAT * self.batch * sum(prod(volume) for volume in self.operation.volumes)

    @property
    def made(self) -> int:
        """Bytes of the result."""
        return FLOAT * self.batch * prod(self.operation.volume)

    @property
    def weight(self) -> int:
        """Bytes of the first parameter."""
        return FLOAT * prod(self.operation.shapes[0])
