"""Which layers may write into their first input (archspec/analyses/memory/MODEL.md, "In place").

In: a graph, and the values that are given to the code that runs it. Out: the indices of its RELUs and adds that may.
Autograd forbids writing over a value that somebody else still reads, now or in the backward pass; and writing into a
view costs it two copies.
"""

from __future__ import annotations

from collections.abc import Collection

from archspec.graph.ir import Graph, Node
from archspec.layers.activation import Relu, Sigmoid, Softmax, Tanh
from archspec.layers.attention import Attention
from archspec.layers.dropout import Dropout, DropPath
from archspec.layers.linear import FullyConnected
from archspec.layers.merge import Add
from archspec.layers.pixels import SpaceToDepth

KEEP_THEIR_RESULT = (Relu, Tanh, Sigmoid, Softmax)
PASS_THROUGH = (Dropout, DropPath)  # in use they are the identity: then their input would be written to


def overwriting(graph: Graph, given: Collection[int]) -> frozenset[int]:
    """The nodes that write into their first input. What is given belongs to somebody else: the image, for one."""
    return frozenset(
        node.index
        for node in graph.nodes
        if isinstance(node.layer, Relu | Add) and _may_write(graph, node.inputs[0], given)
    )


def _may_write(graph: Graph, index: int, given: Collection[int]) -> bool:
    """Whether the only reader of a result may write into it."""
    node = graph.nodes[index]
    while len(graph.consumers[node.index]) == 1 and node.index not in given and node.inputs:
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
