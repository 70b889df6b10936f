"""Activations: the functions that act on each value, and SOFTMAX."""

from __future__ import annotations

from typing import ClassVar

from archspec.graph.volume import Volume
from archspec.layers.arguments import WORD, argument
from archspec.layers.base import Example, Layer, Module

TANH = (("tanh", "tanh"),)


class Activation(Layer):
    """A function of each value; a torch.nn module without arguments."""

    role: ClassVar[str] = "activation"
    torch_name: ClassVar[str] = ""

    def module(self, inputs: tuple[Volume, ...]) -> Module | None:
        return Module(self.torch_name, {"inplace": True} if self.in_place else {})


class Relu(Activation):
    """max(0, x)."""

    keyword = "RELU"
    known_as = ("act",)
    torch_name = "ReLU"
    in_place = True
    examples = (Example("RELU", ((5, 6, 4),)), Example("RELU", ((7,),)))


class Relu6(Activation):
    """min(max(0, x), 6) (MobileNet)."""

    keyword = "RELU6"
    torch_name = "ReLU6"
    in_place = True
    examples = (Example("RELU6", ((5, 6, 4),)),)


class Gelu(Activation):
    """x times the normal distribution at x, exact unless `tanh` (Hendrycks & Gimpel 2016)."""

    keyword = "GELU"
    examples = (Example("GELU", ((6, 4),)), Example("GELU tanh", ((5, 6, 4),)))

    approximate: str = argument(WORD, "`tanh` is BERT's approximation", default="none", words=TANH)

    def module(self, inputs: tuple[Volume, ...]) -> Module:
        return Module("GELU", {"approximate": self.approximate})


class Silu(Activation):
    """x * sigmoid(x), also called swish (EfficientNet)."""

    keyword = "SILU"
    known_as = ("swish",)
    torch_name = "SiLU"
    examples = (Example("SILU", ((5, 6, 4),)),)


class HardSwish(Activation):
    """x * HSIGMOID(x) (MobileNetV3, Howard et al. 2019)."""

    keyword = "HSWISH"
    known_as = ("hardswish",)
    torch_name = "Hardswish"
    examples = (Example("HSWISH", ((5, 6, 4),)),)


class HardSigmoid(Activation):
    """min(max(0, x + 3), 6) / 6 (MobileNetV3)."""

    keyword = "HSIGMOID"
    torch_name = "Hardsigmoid"
    examples = (Example("HSIGMOID", ((5, 6, 4),)),)


class Tanh(Activation):
    """The hyperbolic tangent."""

    keyword = "TANH"
    torch_name = "Tanh"
    examples = (Example("TANH", ((5, 6, 4),)),)


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    keyword = "SIGMOID"
    torch_name = "Sigmoid"
    examples = (Example("SIGMOID", ((5, 6, 4),)),)


class Softmax(Activation):
    """exp(x) over its sum along the channels."""

    keyword = "SOFTMAX"
    examples = (Example("SOFTMAX", ((9,),)), Example("SOFTMAX", ((5, 9),)))

    def module(self, inputs: tuple[Volume, ...]) -> Module | None:
        return Module("Softmax", {"dim": 1 if inputs[0].is_map else -1})
