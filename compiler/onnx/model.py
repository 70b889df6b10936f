"""Operations and constants as an `onnx.ModelProto`, with what a user of the file needs in its metadata.

In: what the emitters made. Out: the model. One file holds less than 2 GiB (protobuf's bound): beyond that the weights
can go into a file beside it. Opens no file: file.py does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import onnx
from onnx import TensorProto, helper

from archspec import __version__
from archspec.compiler.onnx.names.interface import IDS, Port, inputs_of, outputs_of
from archspec.compiler.onnx.names.parameters import Array
from archspec.compiler.onnx.names.provenance import provenance
from archspec.compiler.onnx.node_writer import EmittedLayer, EmittedNode
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import failure
from archspec.graph.ir import Graph, Node

IR_VERSION = 10  # the first whose nodes have metadata
OPSET = 18
OPSETS = {"Gelu": 20}  # operators that need a newer one
MOST = 2**31 - 2**20  # bytes of weights, the nodes left some room
APART = 1024  # bytes from which on a constant goes into the file of the weights
ALIGNED = 64


def assemble(
    graph: Graph, emitted: Sequence[EmittedLayer], about: ModelMetadata, data_file: str = ""
) -> onnx.ModelProto:
    """The model. Values have the spec's volumes as their types. With a `data_file` large constants are in that file."""
    model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="archspec", producer_version=__version__)
    made = model.graph
    made.name = graph.title or "network"
    outputs = outputs_of(graph)
    made.input.extend(map(value_info, inputs_of(graph)))
    made.output.extend(map(value_info, outputs))
    inner = [part for part in emitted if part.operations and part.value not in {port.name for port in outputs}]
    made.value_info.extend(value_info(Port(part.value, part.nodes[-1].volume)) for part in inner)
    for part in emitted:
        made.node.extend(_node(operation, part.nodes) for operation in part.operations)
    for constant in placed(emitted):
        _hold(made.initializer.add(), constant, data_file)
    opset = max(OPSETS.get(node.op_type, OPSET) for node in made.node)
    model.opset_import.append(helper.make_opsetid("", opset))
    _describe(model, about.properties())
    return model


@dataclass(frozen=True)
class Constant:
    """A constant, and its offset in the file of the weights; None if it is too small for that file."""

    name: str
    array: Array
    offset: int | None


def placed(emitted: Sequence[EmittedLayer]) -> Iterator[Constant]:
    """All constants, in their order."""
    end = 0
    for part in emitted:
        for name, array in part.constants.items():
            begin = -(-end // ALIGNED) * ALIGNED
            apart = array.nbytes >= APART
            yield Constant(name, array, begin if apart else None)
            end = begin + array.nbytes if apart else end


def _hold(tensor: onnx.TensorProto, constant: Constant, data_file: str) -> None:
    """Fill a tensor of the model in place: copying VGG's weights twice takes seconds."""
    tensor.name = constant.name
    tensor.data_type = helper.np_dtype_to_tensor_dtype(constant.array.dtype)
    tensor.dims.extend(constant.array.shape)
    if data_file and constant.offset is not None:
        tensor.data_location = onnx.TensorProto.EXTERNAL
        found = {"location": data_file, "offset": constant.offset, "length": constant.array.nbytes}
        for key, value in found.items():
            tensor.external_data.add(key=key, value=str(value))
    else:
        tensor.raw_data = _little_endian(constant.array).tobytes()


def write_data(emitted: Sequence[EmittedLayer], file: BinaryIO) -> None:
    """The file of the weights."""
    for constant in placed(emitted):
        if constant.offset is not None:
            file.write(bytes(constant.offset - file.tell()))
            file.write(np.ascontiguousarray(_little_endian(constant.array)).data)


def _little_endian(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def need_room(emitted: Sequence[EmittedLayer]) -> None:
    """Raise ArchspecError unless the constants fit into one file."""
    size = sum(constant.array.nbytes for constant in placed(emitted))
    if size > MOST:
        message = f"the weights take {size / 2**30:.2f} GiB, and one ONNX file must be smaller than 2"
        helps = ("`--external-data` puts them into a separate file",)
        raise failure("E423", message, helps=helps)


def _node(operation: EmittedNode, nodes: tuple[Node, ...]) -> onnx.NodeProto:
    node = helper.make_node(operation.operator, operation.inputs, operation.outputs, operation.name)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in operation.attributes)
    _describe(node, provenance(nodes))
    return node


def _describe(proto: Any, properties: Iterable[tuple[str, str]]) -> None:
    for key, value in properties:
        proto.metadata_props.add(key=key, value=value)


def value_info(port: Port) -> onnx.ValueInfoProto:
    """A value and its type, the batch by name."""
    kind = TensorProto.INT64 if port.kind == IDS else TensorProto.FLOAT
    return helper.make_tensor_value_info(port.name, kind, port.shape)
