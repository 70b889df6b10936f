"""Activations that are more than one ONNX operator: SILU; or have weights: PRELU."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.activation import Prelu, Silu


@emits(Silu)
def silu(writer: NodeWriter) -> str:
    """x times its sigmoid."""
    return writer.op("Mul", writer.x, writer.op("Sigmoid", writer.x))


@emits(Prelu)
def prelu(writer: NodeWriter) -> str:
    """A slope for each channel, or one for all."""
    slopes = writer.weight("weight") if writer.layer.single else writer.wide("weight")
    return writer.op("PRelu", writer.x, slopes)
