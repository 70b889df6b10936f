"""Operations and constants as an `onnx.ModelProto`, with what a user of the file needs in its metadata.

In: what the emitters made. Out: the model. One file holds less than 2 GiB (protobuf's bound): beyond that the weights
go into a file beside it, which file.py writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import onnx
from onnx import TensorProto, helper, numpy_helper

from archspec import __version__
from archspec.compiler.onnx.step import Array, Operation
from archspec.compiler.onnx.traces import trace
from archspec.compiler.preprocessing import Preprocessing
from archspec.ir import Graph, Node
from archspec.layers.input import Input
from archspec.volume import Volume

if TYPE_CHECKING:
    from archspec.compiler.onnx.emit import Emitted

IR_VERSION = 10  # the first whose nodes have metadata
OPSET = 18
OPSETS = {"Gelu": 20}  # operators that need a newer one
BATCH = "batch"
CLASSES, PREPROCESSING, NETWORK = "archspec.classes", "archspec.preprocessing", "archspec.network"


def assemble(
    graph: Graph,
    emitted: Sequence[Emitted],
    class_names: Sequence[str] | None,
    preprocessing: Preprocessing | None,
) -> onnx.ModelProto:
    """The model. Values have the spec's volumes as their types."""
    operations = [(operation, part.nodes) for part in emitted for operation in part.operations]
    constants = [item for part in emitted for item in part.constants.items()]
    made = helper.make_graph(
        [_node(operation, nodes) for operation, nodes in operations],
        graph.title or "network",
        [value_info(node) for node in graph.nodes if isinstance(node.layer, Input)],
        [value_info(graph.nodes[graph.output])],
        [numpy_helper.from_array(array, name) for name, array in constants],
        value_info=[value_info(part.nodes[-1]) for part in emitted[:-1] if part.operations],
    )
    opset = max(OPSETS.get(operation.operator, OPSET) for operation, _ in operations)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
    model.producer_name, model.producer_version = "archspec", __version__
    properties = [(NETWORK, graph.title)]
    if class_names is not None:
        properties.append((CLASSES, json.dumps(list(class_names), ensure_ascii=False)))
    if preprocessing is not None:
        properties.append((PREPROCESSING, preprocessing.to_json()))
    _describe(model, properties)
    return model


def _node(operation: Operation, nodes: tuple[Node, ...]) -> onnx.NodeProto:
    node = helper.make_node(operation.operator, operation.inputs, operation.outputs, operation.name)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in operation.attributes)
    _describe(node, trace(nodes))
    return node


def _describe(proto: Any, properties: Iterable[tuple[str, str]]) -> None:
    for key, value in properties:
        proto.metadata_props.add(key=key, value=value)


def value_info(node: Node) -> onnx.ValueInfoProto:
    """A node's value and its type, the batch by name."""
    return helper.make_tensor_value_info(node.name, TensorProto.FLOAT, [BATCH, *laid_out(node.volume)])


def laid_out(volume: Volume) -> tuple[int, ...]:
    """The dimensions behind the batch, as torch and ONNX have them: (C, H, W), (N, C) or (C,)."""
    return (volume.channels, *volume.spatial) if volume.is_map else tuple(volume)


def weight_bytes(constants: Iterable[Array]) -> int:
    """What the constants take."""
    return sum(array.nbytes for array in constants)
