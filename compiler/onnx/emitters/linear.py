"""FC: a product with a weight matrix."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.linear import FullyConnected


@emits(FullyConnected)
def fully_connected(writer: NodeWriter) -> str:
    """Gemm of a vector or of a map made flat; MatMul and Add for each vector of a sequence."""
    tensors = ("weight",) if writer.layer.bias is False else ("weight", "bias")
    if len(writer.volume) == 2:
        return product(writer, writer.x, *tensors)
    x = writer.op("Flatten", writer.x, axis=1) if writer.volume.is_map else writer.x
    return writer.op("Gemm", x, *map(writer.weight, tensors), transB=1)


def product(writer: NodeWriter, x: str, weight: str, bias: str = "") -> str:
    """x W^T + b over the last dimension. MatMul cannot transpose, so the matrix is stored as it is used."""
    made = writer.op("MatMul", x, writer.transposed(weight))
    return writer.op("Add", made, writer.weight(bias)) if bias else made
