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

    @property
    def obstacle(self) -> Node | None:
        """The first node that keeps a number of classes from being set in the weight layers, if any."""
        fixed = [node for node in self.layers if not node.layer.outputs]
        fixed += [node for node in self.between if not node.layer.keeps_channels]
        return fixed[-1] if fixed else None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes whose parameters depend on the number of classes."""
        return self.layers + self.between


def scores(nodes: Sequence[Node], end: int) -> Scores:
    """Return what computes the scores at a node."""
    layers, between = set(), set()
    todo = [end]
    while todo:
        index = todo.pop()
        if index in layers or index in between:
            continue
        node = nodes[index]
        if node.layer.is_weight_layer:
            layers.add(index)
        else:
            between.add(index)
            todo += node.inputs
    return Scores(tuple(nodes[index] for index in sorted(layers)), tuple(nodes[index] for index in sorted(between)))


def classifiers(graph: Graph) -> tuple[Scores, ...]:
    """Return the end of each classifier: the network's own, then those of its auxiliary classifiers."""
    return tuple(scores(graph.nodes, end) for end in (graph.output, *(head.output for head in graph.heads)))
