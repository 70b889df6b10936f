"""Activations that are more than one ONNX operator: SILU."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.activation import Silu


@emits(Silu)
def silu(writer: NodeWriter) -> str:
    """x times its sigmoid."""
    return writer.op("Mul", writer.x, writer.op("Sigmoid", writer.x))
