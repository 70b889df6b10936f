"""Activations: the functions that act on each value, and SOFTMAX."""

from __future__ import annotations

from typing import ClassVar

from archspec.layers.base import Example, Layer, Module
from archspec.volume import Volume


class Activation(Layer):
    """A function of each value; a torch.nn module without arguments."""

    role: ClassVar[str] = "activation"
    torch_name: ClassVar[str] = ""

    def module(self, inputs: tuple[Volume, ...]) -> Module | None:
        return Module(self.torch_name, {"inplace": True} if self.in_place else {})


class Relu(Activation):
    """max(0, x)."""

    keyword = "RELU"
    torch_name = "ReLU"
    in_place = True
    examples = (Example("RELU", ((5, 6, 4),)), Example("RELU", ((7,),)))


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
