"""The model: IR and weights to ONNX.

In: a graph, its weights by the spec's names, class names, preprocessing. Out: an `onnx.ModelProto` in float32 with a
dynamic batch dimension: `[batch, C, H, W]`, `[batch, N, C]`, `[batch, C]`, and int64 for token ids. One initializer a
parameter, however many layers use it. The same input gives the same bytes. Writes no file and proves nothing: file.py
and proof.py do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import onnx

from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.onnx.emitters import emit_layer
from archspec.compiler.onnx.fold import fold, foldable
from archspec.compiler.onnx.model import assemble, need_room
from archspec.compiler.onnx.names.interface import about, value_names
from archspec.compiler.onnx.names.parameters import Array, Parameters, Weights
from archspec.compiler.onnx.node_writer import EmittedLayer, EmittedNode, NodeWriter
from archspec.graph.extent import part
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
    """The model of a network with all its outputs, or of the part that leads to the result called `output`.

    Raises ArchspecError for an unknown `output`, for weights that are missing or of another shape, and for a model too
    large for one file.
    """
    extent = part(graph, output)
    parts = emitted(extent, weights)
    need_room(parts)
    names = None if class_names is None else tuple(class_names)
    return assemble(extent, parts, about(graph, graph.title, output, names, preprocessing))


def emitted(graph: Graph, weights: Weights) -> tuple[EmittedLayer, ...]:
    """Emit each layer, in the graph's order."""
    parameters = Parameters(graph, weights)
    norms = foldable(graph, parameters)
    folded = set(norms.values())
    names = value_names(graph)
    values: dict[int, str] = {}
    done = []
    for node in graph.nodes:
        if isinstance(node.layer, Input):
            values[node.index] = names[node.index]
        elif node.index not in folded:
            norm = graph.nodes[norms[node.index]] if node.index in norms else None
            inputs = tuple(values[index] for index in node.inputs)
            made = _emitted(node, norm, inputs, names[node.index if norm is None else norm.index], parameters)
            values.update((part.index, made.value) for part in made.nodes)
            done.append(made)
    taken = {operation.name for layer in done for operation in layer.operations}
    return tuple(_each_once([*done, *_copies(graph, values, taken)]))


def _emitted(
    node: Node, norm: Node | None, inputs: tuple[str, ...], value: str, parameters: Parameters
) -> EmittedLayer:
    """Emit a layer, with the BN that is folded into it, if any: `value` is then the BN's."""
    graph = parameters.graph
    nodes = (node,) if norm is None else (node, norm)
    readers = tuple(graph.nodes[index].layer for index in graph.consumers[nodes[-1].index])
    if norm is not None:
        node, parameters = fold(node, norm, parameters)
    writer = NodeWriter(node, inputs, graph.inputs(node), parameters, readers)
    result = emit_layer(writer)
    operations = writer.finished(result, value)
    return EmittedLayer(nodes, value if operations else result, operations, writer.constants)


def _copies(graph: Graph, values: dict[int, str], taken: Collection[str]) -> Iterator[EmittedLayer]:
    """Copy what has another name already: the result of an identity, an input, a result that is two outputs."""
    for output in graph.outputs:
        value = values[output.node]
        if value != output.name:
            name = f"{output.name}/identity" if output.name in taken else output.name
            same = EmittedNode("Identity", name, (value,), (output.name,), ())
            yield EmittedLayer((graph.nodes[output.node],), output.name, (same,), {})


def _each_once(layers: Iterable[EmittedLayer]) -> Iterator[EmittedLayer]:
    """Leave each constant to the first layer that has it. Raises ValueError where a later one has another value."""
    known: dict[str, Array] = {}
    for layer in layers:
        own = {}
        for name, array in layer.constants.items():
            if name not in known:
                own[name] = known[name] = array
            elif known[name] is not array and not np.array_equal(known[name], array):
                raise ValueError(f"{name} has two values")
        yield replace(layer, constants=own)
