"""What is done to a whole graph once it is built.

In: a graph. Out: the graph with what only the whole can tell: which biases are needless, and the rate of each DROPPATH.
"""

from __future__ import annotations

from collections import Counter

from archspec.graph.ir import Graph, Node
from archspec.layers.dropout import DropPath
from archspec.record import replace


def finished(graph: Graph) -> Graph:
    """The graph as analyses and back ends read it."""
    nodes = list(graph.nodes)
    _drop_needless_biases(graph, nodes)
    _spread_rates(nodes)
    return Graph(graph.title, tuple(nodes), graph.output, graph.heads)


def _drop_needless_biases(graph: Graph, nodes: list[Node]) -> None:
    """A CONV or FC that a BN follows directly has no bias: the BN's shift takes its place (Ioffe & Szegedy 2015)."""
    for node in graph.nodes:
        if node.layer.absorbs_bias and len(graph.consumers[node.inputs[0]]) == 1:
            before = nodes[node.inputs[0]]
            if before.layer.has_optional_bias:
                nodes[before.index] = replace(before, layer=before.layer.without_bias())


def _spread_rates(nodes: list[Node]) -> None:
    """`DROPPATH 0 to 0.2`: those that share a range get rates at equal steps, from the first to the last."""
    ranges = [(node, node.layer) for node in nodes if isinstance(node.layer, DropPath) and node.layer.to is not None]
    counts = Counter(layer for _, layer in ranges)
    seen: Counter[DropPath] = Counter()
    for node, layer in ranges:
        nodes[node.index] = replace(node, layer=layer.at(seen[layer], counts[layer]))
        seen[layer] += 1
