"""The shapes of a model, by onnx's inference alone, against the compiler's volumes.

In: a model's file and its graph. Out: a `Check`: inputs and outputs have the network's names, in its order, and every
value that has a shape has the compiler's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from archspec.compiler.onnx.checks.steps import Check, first_line
from archspec.compiler.onnx.names.interface import Port, inputs_of, outputs_of, value_names
from archspec.graph.ir import Graph

LIGHT = 1024  # values that shape inference may have to read


def shaped(path: Path, graph: Graph) -> Check:
    """The names of inputs and outputs, and the inferred shapes against the volumes."""
    model = onnx.load(path, load_external_data=False)
    outputs = outputs_of(graph)
    for what, values, ports in (
        ("inputs", model.graph.input, inputs_of(graph)),
        ("outputs", model.graph.output, outputs),
    ):
        found, expected = [one.name for one in values], [port.name for port in ports]
        if found != expected:
            return Check("shapes", False, f"the {what} are {_listed(found)}, the compiler expects {_listed(expected)}")
    try:
        shapes = inferred_shapes(model)
    except onnx.shape_inference.InferenceError as error:
        return Check("shapes", False, first_line(error))
    own = (Port(name, node.volume) for name, node in zip(value_names(graph), graph.nodes, strict=True))
    expected_shapes = {port.name: port.shape for port in (*own, *outputs)}
    compared = [name for name in expected_shapes if name in shapes]
    for name in compared:
        if not shapes[name] or not isinstance(shapes[name][0], str) or shapes[name][1:] != expected_shapes[name][1:]:
            text = f"`{name}` is {shapes[name]}, the compiler expects {expected_shapes[name]}"
            return Check("shapes", False, text)
    for port in outputs:
        if port.name not in shapes:
            return Check("shapes", False, f"the shape of the output `{port.name}` is unknown")
    return Check("shapes", True, f"{len(compared)} inferred shapes equal the compiler's")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def inferred_shapes(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """The shape of every value, by onnx's inference alone."""
    bare = onnx.ModelProto()
    bare.ir_version = model.ir_version
    bare.opset_import.extend(model.opset_import)
    bare.graph.name = model.graph.name
    bare.graph.node.extend(model.graph.node)
    bare.graph.input.extend(model.graph.input)
    for output in model.graph.output:
        bare.graph.output.add(name=output.name).type.tensor_type.elem_type = output.type.tensor_type.elem_type
    for tensor in model.graph.initializer:
        if np.prod(tensor.dims) <= LIGHT:
            bare.graph.initializer.append(tensor)
        else:
            shape = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            bare.graph.input.append(shape)
    inferred = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    values = [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]
    return {value.name: [_extent(one) for one in value.type.tensor_type.shape.dim] for value in values}


def _extent(dimension: Any) -> int | str:
    return dimension.dim_value if dimension.HasField("dim_value") else str(dimension.dim_param)
