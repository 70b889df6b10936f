"""The graph of a network, with every name, block and repeat resolved.

In: what the resolver builds. Out: frozen nodes in topological order. Analyses, the lowering and the ONNX emitter read
only this.
"""

from __future__ import annotations

from functools import cached_property

from archspec.diagnostics.source import Span
from archspec.graph.volume import Volume
from archspec.layers.base import Layer, Tensor
from archspec.record import Record


class Frame(Record):
    """An instance of a block: its call, and its position among the repeats."""

    call: str  # stage(128, 4, 2)
    span: Span
    name: str  # the path of the instance, stage2.bottleneck3
    ordinal: int = 1
    times: int = 1
    parent: Frame | None = None
    definition: Span | None = None  # of the block


class Node(Record):
    """One layer of the network.

    `implied` marks layers added by `after`; `head` numbers the auxiliary classifiers from 1, and is 0 for the trunk;
    `init` is what an `init` line of its file says of its first weights.
    """

    index: int
    name: str  # stage2.bottleneck3.conv2
    layer: Layer
    inputs: tuple[int, ...]
    volume: Volume
    frame: Frame | None
    span: Span
    implied: bool = False
    head: int = 0
    init: float | None = None


class Head(Record):
    """An auxiliary classifier: its loss weight, and the node of its scores."""

    weight: float
    output: int
    number: int


class Graph:
    """A network. Immutable by convention: passes return new graphs."""

    def __init__(self, title: str, nodes: tuple[Node, ...], output: int, heads: tuple[Head, ...] = ()) -> None:
        self.title = title
        self.nodes = nodes
        self.output = output
        self.heads = heads

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """The consumers of each node, by index."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for index in node.inputs:
                found[index].append(node.index)
        return tuple(map(tuple, found))

    @cached_property
    def trunk(self) -> tuple[Node, ...]:
        """The nodes used in inference: all but the auxiliary classifiers."""
        return tuple(node for node in self.nodes if not node.head)

    def inputs(self, node: Node) -> tuple[Volume, ...]:
        """Return the input volumes of a node."""
        return tuple(self.nodes[index].volume for index in node.inputs)

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """Return the parameters of a node."""
        return node.layer.tensors(self.inputs(node))
