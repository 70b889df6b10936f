"""Weight layers, counted as the lecture does: along the longest path, parallel layers once, auxiliary heads never."""

from __future__ import annotations

from archspec.graph.ir import Graph


def weight_layers(graph: Graph) -> int:
    """Return the most weight layers on any path from the input to the output. GoogLeNet has 22."""
    depths: list[int] = []
    for node in graph.nodes:
        before = max((depths[index] for index in node.inputs), default=0)
        depths.append(before + node.layer.is_weight_layer)
    return depths[graph.output]
