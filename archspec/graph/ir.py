"""The graph: what a network is, once every name, block and repeat is worked out.

In: what the resolver builds. Out: frozen nodes in an order in which each comes after its inputs. Analyses, the
lowering and the ONNX emitter read this and nothing before it.
"""

from __future__ import annotations

from functools import cached_property

from archspec.diagnostics.source import Span
from archspec.graph.volume import Volume
from archspec.layers.base import Layer, Tensor
from archspec.record import Record


class Frame(Record):
    """An instance of a block: who called it, and the how manieth of how many a repeat made."""

    call: str  # stage(128, 4, 2)
    span: Span
    name: str  # the path of the instance, stage2.bottleneck3
    ordinal: int = 1
    times: int = 1
    parent: Frame | None = None


class Node(Record):
    """One layer of the network.

    `implied` marks what `after` added; `head` the auxiliary classifier that it belongs to, from 1, or 0 for the trunk.
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


class Head(Record):
    """An auxiliary classifier: its loss weight, and the node whose volume it ends in."""

    weight: float
    output: int
    number: int


class Graph:
    """A network. Immutable by convention: passes make new ones."""

    def __init__(self, title: str, nodes: tuple[Node, ...], output: int, heads: tuple[Head, ...] = ()) -> None:
        self.title = title
        self.nodes = nodes
        self.output = output
        self.heads = heads

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For each node, the nodes that take its volume."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for index in node.inputs:
                found[index].append(node.index)
        return tuple(map(tuple, found))

    @cached_property
    def trunk(self) -> tuple[Node, ...]:
        """The nodes that inference runs: all but the auxiliary classifiers."""
        return tuple(node for node in self.nodes if not node.head)

    def inputs(self, node: Node) -> tuple[Volume, ...]:
        """The volumes that enter a node."""
        return tuple(self.nodes[index].volume for index in node.inputs)

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """The parameters of a node."""
        return node.layer.tensors(self.inputs(node))
