"""Which layers may write into their first input (archspec/analyses/memory/MODEL.md, "In place").

In: a graph, and the values given to the code that runs it. Out: the indices of the nodes that may. Autograd
forbids overwriting a value that is read elsewhere, now or in the backward pass; writing into a view costs two copies.
"""

from __future__ import annotations

from collections.abc import Collection

from archspec.graph.ir import Graph
from archspec.layers.demand import SAME, Workload


def overwriting(graph: Graph, given: Collection[int]) -> frozenset[int]:
    """The nodes that write into their first input. Given values are not theirs to overwrite: the image, for one."""
    return frozenset(
        node.index for node in graph.nodes if node.layer.overwrites and _may_write(graph, node.inputs[0], given)
    )


def _may_write(graph: Graph, index: int, given: Collection[int]) -> bool:
    """Whether the only reader of a result may write into it."""
    node = graph.nodes[index]
    while graph.readers[node.index] == 1 and node.index not in given and node.inputs:
        if not node.layer.is_identity:  # in inference it is the identity, whatever it asks for in training
            inputs = graph.inputs(node)
            shapes = tuple(tensor.shape for tensor in node.layer.tensors(inputs))
            demand = node.layer.demand(Workload(inputs, node.volume, shapes))
            return not (node.layer.is_view or demand.is_view or demand.keeps_output or demand.output == SAME)
        node = graph.nodes[node.inputs[0]]
    return False
