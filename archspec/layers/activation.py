"""Activations: functions of each value, and SOFTMAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from archspec.graph.volume import Volume
from archspec.layers.arguments import WORD, argument
from archspec.layers.base import Example, Layer, OnnxNode, TorchModule
from archspec.layers.demand import FROM_INPUT, FROM_OUTPUT

TANH = (("tanh", "tanh"),)


class Activation(Layer):
    """A function of each value; a torch.nn module without arguments and an ONNX operator without attributes."""

    role: ClassVar[str] = "activation"
    torch_name: ClassVar[str] = ""
    onnx_name: ClassVar[str] = ""

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        return TorchModule(self.torch_name, {"inplace": True} if self.in_place else {})

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode(self.onnx_name)


class Relu(Activation):
    """max(0, x)."""

    keyword = "RELU"
    known_as = ("act",)
    torch_name = "ReLU"
    onnx_name = "Relu"
    in_place = True
    overwrites = True
    is_rectifier = True
    memory = FROM_OUTPUT
    examples = (Example("RELU", ((5, 6, 4),)), Example("RELU", ((7,),)))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return f"torch.relu({names[0]})"

    def overwriting(self, names: Sequence[str]) -> str:
        return f"torch.relu_({names[0]})"


class Relu6(Activation):
    """min(max(0, x), 6) (MobileNet)."""

    keyword = "RELU6"
    torch_name = "ReLU6"
    in_place = True
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("RELU6", ((5, 6, 4),)),)

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Clip", constants={"min": 0.0, "max": 6.0})


class Gelu(Activation):
    """x times the normal distribution function at x, exact unless `tanh` (Hendrycks & Gimpel 2016)."""

    keyword = "GELU"
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("GELU", ((6, 4),)), Example("GELU tanh", ((5, 6, 4),)))

    approximate: str = argument(WORD, "`tanh` is BERT's approximation", default="none", words=TANH)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("GELU", {"approximate": self.approximate})

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Gelu", {"approximate": self.approximate})


class Silu(Layer):
    """x * sigmoid(x), also called swish (EfficientNet)."""

    keyword = "SILU"
    known_as = ("swish",)
    role = "activation"
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("SILU", ((5, 6, 4),)),)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("SiLU", {})


class HardSwish(Activation):
    """x * HSIGMOID(x) (MobileNetV3, Howard et al. 2019)."""

    keyword = "HSWISH"
    known_as = ("hardswish",)
    torch_name = "Hardswish"
    onnx_name = "HardSwish"
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("HSWISH", ((5, 6, 4),)),)


class HardSigmoid(Activation):
    """min(max(0, x + 3), 6) / 6 (MobileNetV3)."""

    keyword = "HSIGMOID"
    known_as = ("hardsigmoid",)
    torch_name = "Hardsigmoid"
    memory = FROM_INPUT
    examples = (Example("HSIGMOID", ((5, 6, 4),)),)

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5})


class Tanh(Activation):
    """The hyperbolic tangent."""

    keyword = "TANH"
    torch_name = "Tanh"
    onnx_name = "Tanh"
    memory = FROM_OUTPUT
    examples = (Example("TANH", ((5, 6, 4),)),)


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    keyword = "SIGMOID"
    known_as = ("logistic",)
    torch_name = "Sigmoid"
    onnx_name = "Sigmoid"
    memory = FROM_OUTPUT
    examples = (Example("SIGMOID", ((5, 6, 4),)),)


class Softmax(Activation):
    """exp(x) divided by its sum over the channels."""

    keyword = "SOFTMAX"
    memory = FROM_OUTPUT
    examples = (Example("SOFTMAX", ((9,),)), Example("SOFTMAX", ((5, 9),)))

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("Softmax", {"dim": 1 if inputs[0].is_map else -1})

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Softmax", {"axis": 1 if inputs[0].is_map else -1})
