"""The end of a classifier, by structure: the weight layers nearest to its scores.

In: the nodes of a graph, and that of the scores. Out: the last weight layers on every path to it, and what follows
them. Two heads that are added give two weight layers.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.graph.ir import Graph, Node
from archspec.record import Record


class Scores(Record):
    """The weight layers that compute class scores, and what lies between them and the scores, both in order."""

    layers: tuple[Node, ...]
    between: tuple[Node, ...]
    obstacle: Node | None  # what keeps a number of classes from being set in the weight layers

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes whose parameters depend on the number of classes."""
        return self.layers + self.between


def scores(nodes: Sequence[Node], end: int) -> Scores:
    """Return what computes the scores at a node."""
    layers, between, fixed = set(), set(), set()
    todo = [end]
    while todo:
        index = todo.pop()
        if index in layers or index in between:
            continue
        node = nodes[index]
        if node.layer.is_weight_layer:
            layers.add(index)
            fixed |= set() if node.layer.outputs else {index}
            continue
        between.add(index)
        same = [one for one in node.inputs if nodes[one].volume.channels == node.volume.channels]
        if not node.layer.keeps_channels or not same:
            fixed.add(index)
        todo += same  # but for a factor that all channels share
    obstacle = nodes[max(fixed)] if fixed else None
    return Scores(
        tuple(map(nodes.__getitem__, sorted(layers))), tuple(map(nodes.__getitem__, sorted(between))), obstacle
    )


def classifiers(graph: Graph) -> tuple[Scores, ...]:
    """Return the end of each classifier: of each loss, those of auxiliary classifiers last."""
    return tuple(scores(graph.nodes, loss.node) for loss in graph.losses)
