"""Which layers may write into their first input (archspec/analyses/memory/MODEL.md, "In place").

In: a graph. Out: the indices of its RELUs and adds that may. Autograd forbids writing over a value that somebody else
still reads, now or in the backward pass; and writing into a view costs it two copies.
"""

from __future__ import annotations

from archspec.ir import Graph, Node
from archspec.layers.activation import Relu, Sigmoid, Softmax, Tanh
from archspec.layers.attention import Attention
from archspec.layers.dropout import Dropout, DropPath
from archspec.layers.linear import FullyConnected
from archspec.layers.merge import Add
from archspec.layers.pixels import SpaceToDepth

KEEP_THEIR_RESULT = (Relu, Tanh, Sigmoid, Softmax)
PASS_THROUGH = (Dropout, DropPath)  # in use they are the identity: then their input would be written to


def overwriting(graph: Graph) -> frozenset[int]:
    """The nodes that write into their first input."""
    return frozenset(
        node.index for node in graph.nodes if isinstance(node.layer, Relu | Add) and _may_write(graph, node.inputs[0])
    )


def _may_write(graph: Graph, index: int) -> bool:
    """Whether the only reader of a result may write into it."""
    node = graph.nodes[index]
    while len(graph.consumers[node.index]) == 1 and node.inputs:
        if isinstance(node.layer, KEEP_THEIR_RESULT) or _is_view(node):
            return False
        if not isinstance(node.layer, PASS_THROUGH):
            return True
        node = graph.nodes[node.inputs[0]]
    return False


def _is_view(node: Node) -> bool:
    if node.layer.is_view or isinstance(node.layer, SpaceToDepth):  # a map of one block needs no copy
        return True
    if isinstance(node.layer, FullyConnected):
        return len(node.volume) == 2
    return isinstance(node.layer, Attention)
