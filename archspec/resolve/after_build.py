"""What only the whole graph can tell: results that lead nowhere, needless biases, the rate of each DROPPATH.

In: a graph as it was built. Out: findings; the graph as analyses and back ends read it.
"""

from __future__ import annotations

from collections import Counter

from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic
from archspec.graph.ir import Graph, Node
from archspec.layers.dropout import DropPath
from archspec.record import replace


def finished(graph: Graph) -> Graph:
    """Return the graph as analyses and back ends read it."""
    nodes = list(graph.nodes)
    _drop_needless_biases(graph, nodes)
    _spread_rates(nodes)
    return Graph(graph.title, tuple(nodes), graph.output, graph.heads)


def _drop_needless_biases(graph: Graph, nodes: list[Node]) -> None:
    """Drop the bias of each CONV or FC directly before a BN, whose shift replaces it (Ioffe & Szegedy 2015)."""
    for node in graph.nodes:
        if node.layer.absorbs_bias and len(graph.consumers[node.inputs[0]]) == 1:
            before = nodes[node.inputs[0]]
            if before.layer.has_optional_bias:
                nodes[before.index] = replace(before, layer=before.layer.without_bias())


def _spread_rates(nodes: list[Node]) -> None:
    """Give the DROPPATHs that share a range, `DROPPATH 0 to 0.2`, evenly spaced rates from the first to the last."""
    ranges = [(node, node.layer) for node in nodes if isinstance(node.layer, DropPath) and node.layer.to is not None]
    counts = Counter(layer for _, layer in ranges)
    seen: Counter[DropPath] = Counter()
    for node, layer in ranges:
        nodes[node.index] = replace(node, layer=layer.at(seen[layer], counts[layer]))
        seen[layer] += 1


def unused_results(graph: Graph) -> list[Diagnostic]:
    """Report results that do not contribute to the output."""
    ends = {graph.output, *(head.output for head in graph.heads)}
    idle = [index for index, consumers in enumerate(graph.consumers) if not consumers]
    found = [graph.nodes[index] for index in idle if index not in ends]
    if not found:
        return []
    from archspec.resolve.unreached.unused_results import unused_result  # a correct spec has none

    first = {node.span.start: node for node in reversed(found)}
    starts = dict.fromkeys(node.span.start for node in found)
    return [unused_result(first[start], graph, place < MAX_SHOWN) for place, start in enumerate(starts)]
