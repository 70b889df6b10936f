"""Activations: functions of each value, and SOFTMAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import REAL, VALUE, WORD, Respelling, argument, flag
from archspec.layers.base import Example, Layer, OnnxNode, Tensor, TorchModule
from archspec.layers.demand import FROM_INPUT, FROM_OUTPUT, Demand, Workload

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


class LeakyRelu(Activation):
    """x where it is positive, otherwise x times a small slope (Maas et al. 2013)."""

    keyword = "LEAKYRELU"
    known_as = ("lrelu", "leaky")
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("LEAKYRELU", ((5, 6, 4),)), Example("LEAKYRELU 0.2", ((6, 4),)))

    slope: float = argument(REAL, "the slope below 0", default=0.01, positional=True)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("LeakyReLU", {"negative_slope": self.slope})

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("LeakyRelu", {"alpha": self.slope})


class Prelu(Layer):
    """LEAKYRELU with a learned slope for each channel, or a single one (He et al. 2015)."""

    keyword = "PRELU"
    free_words = ("single",)
    known_as = ("parametricrelu",)
    role = "activation"
    is_rectifier = True
    examples = (Example("PRELU", ((5, 6, 4),)), Example("PRELU single", ((6, 4),)), Example("PRELU init=0", ((6, 4),)))

    single: bool = flag("one slope for all channels", single=True)
    init: float | None = argument(VALUE, "the first value of the slopes, 0.25 by default", default=None)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (1 if self.single else inputs[0].channels,)),)

    def demand(self, at: Workload) -> Demand:
        # the slopes' gradient is as large as the input until it is summed
        return Demand(keeps_inputs=True, backward_spike=2 * at.read + at.weight)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        if len(inputs[0]) == 2 and not self.single:
            return None  # torch wants the channels of a sequence before its vectors
        return TorchModule("PReLU", {"num_parameters": self.tensors(inputs)[0].size})


class Elu(Activation):
    """x where it is positive, otherwise alpha * (exp(x) - 1) (Clevert et al. 2015)."""

    keyword = "ELU"
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("ELU", ((5, 6, 4),)), Example("ELU 0.5", ((6, 4),)))

    alpha: float = argument(REAL, "minus the limit below 0", default=1.0, positional=True)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("ELU", {"alpha": self.alpha})

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Elu", {"alpha": self.alpha})


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


class Mish(Activation):
    """x * tanh(log(1 + exp(x))) (Misra 2019)."""

    keyword = "MISH"
    torch_name = "Mish"
    onnx_name = "Mish"
    is_rectifier = True
    memory = FROM_INPUT
    examples = (Example("MISH", ((5, 6, 4),)),)


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


class HardTanh(Activation):
    """min(max(x, low), high) (Collobert 2004)."""

    keyword = "HARDTANH"
    memory = FROM_INPUT
    examples = (Example("HARDTANH", ((5, 6, 4),)), Example("HARDTANH low=-0.5 high=2", ((6, 4),)))

    low: float = argument(REAL, "the smallest output", default=-1.0)
    high: float = argument(REAL, "the largest output", default=1.0)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        if self.low >= self.high:
            helps = (Respelling("`{}` swaps them", low=self.high, high=self.low),) if self.low > self.high else ()
            raise Finding("E205", f"`low` is {self.low:g} and must be less than `high`, {self.high:g}", helps=helps)
        return inputs[0]

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("Hardtanh", {"min_val": self.low, "max_val": self.high})

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Clip", constants={"min": self.low, "max": self.high})


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
