"""The terms in which a layer states its need of memory: `Node`, `Site` and `Demand`. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FLOAT = 4
INDEX = 8


@dataclass(frozen=True, slots=True)
class Node:
    """One layer of the graph, for one image; `inputs` are the ids of the nodes it reads."""

    id: str
    kind: str
    inputs: tuple[str, ...]
    values: int
    channels: int
    parameters: tuple[int, ...] = ()
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    window: int = 5
    heads: int = 1
    rate: float = 0.5
    pixels: bool = False


class Flow(Enum):
    """Whose storage a result is: its own, the first input's, or a strided part of somebody's."""

    NEW = "new"
    SAME = "same"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Demand:
    """Bytes of one layer in one step; a spike is what it adds at its worst, its results included."""

    output: Flow = Flow.NEW
    gradient: Flow = Flow.NEW
    keeps_inputs: bool = False
    keeps_output: bool = False
    keeps: int = 0
    forward_spike: int = 0
    backward_spike: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """A node with what stands around it.

    `continues`: gradients go further back than this node. `channels_last`: its input lies pixel by pixel in
    memory.
    """

    node: Node
    inputs: tuple[Node, ...]
    batch: int
    continues: bool
    channels_last: bool

    @property
    def input_bytes(self) -> int:
        """Of all inputs together."""
        return FLOAT * self.batch * sum(node.values for node in self.inputs)

    @property
    def output_bytes(self) -> int:
        return FLOAT * self.batch * self.node.values
