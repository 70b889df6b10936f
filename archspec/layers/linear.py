"""FC: the fully connected layer."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import COUNT, DEVIATION, VALUE, Respelling, argument, flag
from archspec.layers.base import POINTWISE, Example, Tensor, TorchModule, Window
from archspec.layers.demand import FROM_INPUT, Demand, Workload
from archspec.layers.weighted import BIAS_INIT_DOC, INIT_DOC, Weighted

BIAS_DOC = "a bias for each neuron; by default, unless a BN follows"
FEATURES_DOC = "the number of neurons; by default, that of the line's bracket"


class FullyConnected(Weighted):
    """Fully connected: flattens a map (channel by channel, as torch does), or acts on each vector of a sequence."""

    keyword = "FC"
    known_as = ("linear", "dense", "fullyconnected", "fullconnected")
    outputs = "features"
    sized_by_bracket = True
    examples = (
        Example("FC 10", ((4, 4, 3),)),
        Example("FC 6 nobias", ((9,),)),
        Example("FC 5 init=0 bias_init=1", ((7, 3),)),
    )

    features: int = argument(COUNT, FEATURES_DOC, positional=True)
    bias: bool | None = flag(BIAS_DOC, None, bias=True, nobias=False)
    linear: bool = flag("`after` adds no activation to this layer", linear=True)
    init: float | None = argument(DEVIATION, INIT_DOC, default=None)
    bias_init: float | None = argument(VALUE, BIAS_INIT_DOC, default=None)

    @classmethod
    def shorthand(cls, number: int, dash: int | None) -> dict[str, Any] | None:
        """`FC-4096`, as the VGG paper writes it."""
        if dash == 0:
            raise Finding(
                "E105", "expected a count of neurons, got 0", helps=(Respelling("`{}`, for example", "FC-4096"),)
            )
        return None if dash is None else {"features": dash}

    def _fan_in(self, volume: Volume) -> int:
        return volume.values if volume.is_map else volume.channels

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        self.need_bias()
        volume = inputs[0]
        return Volume((volume[0], self.features) if len(volume) == 2 else (self.features,))

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        volume = inputs[0]
        sizes = "*".join(map(str, volume)) if volume.is_map else str(volume.channels)
        formula = f"({sizes})*{self.features}" if volume.is_map else f"{sizes}*{self.features}"
        weight = Tensor("weight", (self.features, self._fan_in(volume)), formula)
        return (weight,) if self.bias is False else (weight, Tensor("bias", (self.features,)))

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        vectors = output[0] if len(output) == 2 else 1
        return vectors * self.tensors(inputs)[0].size

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window(is_global=True) if inputs[0].is_map else POINTWISE

    def demand(self, at: Workload) -> Demand:
        # of a sequence the result is a view of a matrix
        return FROM_INPUT if len(at.volume) == 1 else Demand(keeps_inputs=True, is_view=True)

    def entering(self, name: str, inputs: tuple[Volume, ...]) -> str:
        return f"{name}.flatten(1)" if inputs[0].is_map else name

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        if inputs[0].is_map:
            return None  # its fan-in is the flattened map's: see compiler/lowering/modules
        features = {"in_features": inputs[0].channels, "out_features": self.features}
        return TorchModule("Linear", {**features, "bias": self.bias is not False})
