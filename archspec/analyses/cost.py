"""What each layer costs: parameters, multiply-accumulates, and the values it leaves in memory.

In: a graph. Out: one `Cost` a node. MACs are those of convolutions and weight matrices for one image; attention's own
products are counted apart. A value is one number, 4 bytes in float32.
"""

from __future__ import annotations

from archspec.graph.ir import Graph, Node
from archspec.record import Record


class Cost(Record):
    """The cost of one layer.

    `params` counts biases, which are `biases` of them; `formula` is the size of the weights as a lecture writes it.
    `activations` is 0 for a layer that writes over its input or is a view of it.
    """

    params: int
    biases: int
    formula: str
    macs: int
    attention_macs: int
    activations: int


def cost(graph: Graph, node: Node) -> Cost:
    """The cost of one node."""
    inputs = graph.inputs(node)
    tensors = node.layer.tensors(inputs) if inputs else ()
    biases = sum(tensor.size for tensor in tensors if tensor.is_bias)
    formulas = [tensor.formula for tensor in tensors if tensor.formula]
    return Cost(
        params=sum(tensor.size for tensor in tensors),
        biases=biases,
        formula=formulas[0] if len(formulas) == 1 else "",
        macs=node.layer.macs(inputs, node.volume) if inputs else 0,
        attention_macs=node.layer.attention_macs(inputs, node.volume) if inputs else 0,
        activations=0 if is_in_place(graph, node) else node.volume.values + node.layer.scratch(inputs),
    )


def is_in_place(graph: Graph, node: Node) -> bool:
    """Whether a node is a view, or may write over what it is given: nobody else reads it, and it is not the image."""
    if not node.layer.in_place or node.layer.is_view:
        return node.layer.is_view
    before = node.inputs[0]
    return bool(graph.nodes[before].inputs) and len(graph.consumers[before]) == 1
