"""The model: IR and weights to ONNX.

In: a graph, its weights by the spec's names, class names, preprocessing. Out: an `onnx.ModelProto` in float32 with a
dynamic batch dimension: `[batch, C, H, W]`, `[batch, N, C]`, `[batch, C]`. The same input gives the same bytes. Writes
no file and proves nothing: file.py and proof.py do.
"""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.onnx.emitters import emit_layer
from archspec.compiler.onnx.fold import fold, foldable
from archspec.compiler.onnx.model import assemble, need_room
from archspec.compiler.onnx.node_writer import EmittedLayer, EmittedNode, NodeWriter, Weights
from archspec.compiler.weights.model_metadata import ModelMetadata, result_kind
from archspec.graph.extent import named, upto
from archspec.graph.ir import Graph, Node
from archspec.layers.input import Input


def emit(
    graph: Graph,
    weights: Weights,
    *,
    output: str | None = None,
    class_names: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
) -> onnx.ModelProto:
    """The model of a network, or of the part that leads to the result called `output`.

    Raises ArchspecError for an unknown `output`, for weights that are missing or of another shape, and for a model too
    large for one file.
    """
    last = named(graph, output)
    extent = upto(graph, last)
    parts = emitted(extent, weights)
    need_room(parts)
    names = None if class_names is None else tuple(class_names)
    return assemble(extent, parts, ModelMetadata(graph.title, result_kind(graph, last), names, preprocessing))


def emitted(graph: Graph, weights: Weights) -> tuple[EmittedLayer, ...]:
    """Emit each layer, in the graph's order."""
    norms = foldable(graph)
    folded = set(norms.values())
    values: dict[int, str] = {}
    done = []
    for node in graph.nodes:
        if isinstance(node.layer, Input):
            values[node.index] = node.name
        elif node.index not in folded:
            norm = graph.nodes[norms[node.index]] if node.index in norms else None
            made = _emitted(graph, node, norm, tuple(values[index] for index in node.inputs), weights)
            values.update((part.index, made.value) for part in made.nodes)
            done.append(made)
    last = graph.nodes[graph.output]
    if values[last.index] != last.name:  # the last layers are identities
        same = EmittedNode("Identity", last.name, (values[last.index],), (last.name,), ())
        done.append(EmittedLayer((last,), last.name, (same,), {}))
    return tuple(done)


def _emitted(graph: Graph, node: Node, norm: Node | None, inputs: tuple[str, ...], weights: Weights) -> EmittedLayer:
    """Emit a layer, with the BN that is folded into it, if any: the value is then the BN's."""
    nodes, value = ((node,), node.name) if norm is None else ((node, norm), norm.name)
    readers = tuple(graph.nodes[index].layer for index in graph.consumers[nodes[-1].index])
    if norm is not None:
        node, weights = fold(graph, node, norm, weights)
    writer = NodeWriter(node, inputs, graph.inputs(node), weights, readers)
    result = emit_layer(writer)
    operations = writer.finished(result, value)
    return EmittedLayer(nodes, value if operations else result, operations, writer.constants)
