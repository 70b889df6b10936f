"""FC: a product with a weight matrix."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.step import Step
from archspec.layers.linear import FullyConnected


@emits(FullyConnected)
def fully_connected(step: Step) -> str:
    """Gemm of a vector or of a map made flat; MatMul and Add for each vector of a sequence."""
    tensors = ("weight",) if step.layer.bias is False else ("weight", "bias")
    if len(step.volume) == 2:
        return product(step, step.x, *tensors)
    x = step.op("Flatten", step.x, axis=1) if step.volume.is_map else step.x
    return step.op("Gemm", x, *map(step.weight, tensors), transB=1)


def product(step: Step, x: str, weight: str, bias: str = "") -> str:
    """x W^T + b over the last dimension. MatMul cannot transpose, so the matrix is stored as it is used."""
    matrix = step.stored(f"{weight}.transposed", step.array(weight).T)
    made = step.op("MatMul", x, matrix)
    return step.op("Add", made, step.weight(bias)) if bias else made
