"""The cost of each layer: parameters, multiply-accumulates, and the values that it leaves in memory.

In: a graph. Out: one `Cost` per node. MACs are those of convolutions and weight matrices for one image; attention's own
products are counted separately. A value is one number, 4 bytes in float32.
"""

from __future__ import annotations

from archspec.graph.ir import Graph, Node
from archspec.graph.volume import Volume
from archspec.record import Record


class Cost(Record):
    """The cost of one layer.

    `params` includes `biases`, and no parameters of another layer; `formula` is the size of the weights as a lecture
    writes it. `activations` is 0 for a layer that overwrites its input or is a view of it.
    """

    params: int
    biases: int
    formula: str
    macs: int
    attention_macs: int
    activations: int


def costs(graph: Graph) -> list[Cost]:
    """Return the cost of each node. Nodes of the same layer on the same volumes share it."""
    known: dict[tuple[int, tuple[Volume, ...], bool], Cost] = {}
    found = []
    for node in graph.nodes:
        if node.weights is not None:
            found.append(cost(graph, node))
            continue
        key = id(node.layer), graph.inputs(node), is_in_place(graph, node)
        one = known.get(key)
        if one is None:
            one = known[key] = cost(graph, node)
        found.append(one)
    return found


def cost(graph: Graph, node: Node) -> Cost:
    """Return the cost of one node."""
    inputs = graph.inputs(node)
    tensors = graph.tensors(node) if inputs else ()
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
    """Return whether a node is a view, or may overwrite its input: it is the only reader, and not of the image."""
    if not node.layer.in_place or node.layer.is_view:
        return node.layer.is_view
    before = node.inputs[0]
    return bool(graph.nodes[before].inputs) and graph.readers[before] == 1
