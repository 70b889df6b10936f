"""Activations, and layers that vanish when a network is used: DROPOUT, DROPPATH."""

from __future__ import annotations

from archspec.compiler.onnx.emitters.registry import Emitter, emits
from archspec.compiler.onnx.step import Step
from archspec.layers import activation as a
from archspec.layers.dropout import Dropout, DropPath


def _one_operator(operator: str, **attributes: float) -> Emitter:
    return lambda step: step.op(operator, step.x, **attributes)


emits(a.Relu)(_one_operator("Relu"))
emits(a.Tanh)(_one_operator("Tanh"))
emits(a.Sigmoid)(_one_operator("Sigmoid"))
emits(a.HardSwish)(_one_operator("HardSwish"))
emits(a.HardSigmoid)(_one_operator("HardSigmoid", alpha=1 / 6, beta=0.5))


@emits(a.Relu6)
def relu6(step: Step) -> str:
    """Clip to 0 .. 6."""
    return step.op("Clip", step.x, step.scalar("min", 0), step.scalar("max", 6))


@emits(a.Gelu)
def gelu(step: Step) -> str:
    """Gelu, the one operator that needs opset 20."""
    return step.op("Gelu", step.x, approximate=step.layer.approximate)


@emits(a.Silu)
def silu(step: Step) -> str:
    """x times its sigmoid."""
    return step.op("Mul", step.x, step.op("Sigmoid", step.x))


@emits(a.Softmax)
def softmax(step: Step) -> str:
    """Softmax along the channels."""
    return step.op("Softmax", step.x, axis=1 if step.volume.is_map else -1)


@emits(Dropout, DropPath)
def nothing(step: Step) -> str:
    """The identity: the value that enters."""
    return step.x
