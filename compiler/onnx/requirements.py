"""What an export requires before it begins.

In: a graph. Out: nothing, or one clear error before memory is allocated.
"""

from __future__ import annotations

from archspec.compiler.memory import CPU, less, need_memory
from archspec.compiler.onnx.proof import BATCHES
from archspec.graph.ir import Graph
from archspec.graph.volume import FLOAT_BYTES

# The weights: the module, the model, and onnxruntime's or onnx's copy of both, or the module in float64.
COPIES = 6
DOUBLE_BYTES = 2 * FLOAT_BYTES


def memory(graph: Graph) -> None:
    """Require enough memory for the weights and the proof. Raises ArchspecError."""
    weights = COPIES * FLOAT_BYTES * sum(tensor.size for node in graph.nodes for tensor in graph.tensors(node))
    proof = DOUBLE_BYTES * max(BATCHES) * forward_values(graph)
    helps = ("`archspec check` shows the largest layers", less(weights, CPU, "export a part of it with `--output`"))
    need_memory(weights + proof, "an export with its proof", CPU, helps)


def forward_values(graph: Graph) -> int:
    """Return the largest number of values alive at once in a forward pass of one image.

    torch convolves in float64 by a matrix product: each output position has a copy of what its window sees.
    """
    last_reader = {index: node.index for node in graph.nodes for index in node.inputs}
    last_reader.update((output.node, len(graph.nodes)) for output in graph.outputs)  # alive to the end
    alive = most = 0
    for node in graph.nodes:
        inputs = graph.inputs(node)
        alive += node.volume.values
        columns = node.layer.macs(inputs, node.volume) // node.volume.channels
        most = max(most, alive + columns + node.layer.scratch(inputs))
        alive -= sum(graph.nodes[index].volume.values for index in set(node.inputs) if last_reader[index] == node.index)
    return most
