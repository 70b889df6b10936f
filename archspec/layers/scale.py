"""Scales and shifts of channels: AFFINE, SCALE."""

from __future__ import annotations

from archspec.graph.volume import Volume
from archspec.layers.arguments import REAL, VALUE, argument, flag
from archspec.layers.base import Example, Layer, Tensor
from archspec.layers.demand import COPY, Demand, Workload
from archspec.layers.weighted import SCALE_INIT_DOC


class Affine(Layer):
    """A learned scale and shift of each channel, where others normalise (ResMLP, Touvron et al. 2021)."""

    keyword = "AFFINE"
    role = "normalisation"
    is_linear = True
    examples = (Example("AFFINE", ((6, 4),)), Example("AFFINE", ((5, 6, 4),)))

    init: float | None = argument(VALUE, SCALE_INIT_DOC, default=None)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        return (Tensor("weight", (channels,)), Tensor("bias", (channels,)))

    def demand(self, at: Workload) -> Demand:
        # x * weight + bias: the product dies after the sum
        return Demand(keeps_inputs=True, forward_spike=2 * at.read, backward_spike=_backward_spike(at))


class Scale(Layer):
    """A learned factor for each channel (LayerScale, Touvron et al. 2021), or a constant one if `fixed`."""

    keyword = "SCALE"
    known_as = ("layerscale",)
    is_linear = True
    examples = (
        Example("SCALE 1e-6", ((5, 6, 4),)),
        Example("SCALE 0.1", ((6, 4),)),
        Example("SCALE 0.17 fixed", ((5, 6, 4),)),
    )

    value: float = argument(REAL, "the factor, or its first value", positional=True)
    fixed: bool = flag("one constant for all channels", fixed=True)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return () if self.fixed else (Tensor("weight", (inputs[0].channels,)),)

    def demand(self, at: Workload) -> Demand:
        return COPY if self.fixed else Demand(keeps_inputs=True, backward_spike=_backward_spike(at))


def _backward_spike(at: Workload) -> int:
    """The weight's gradient is as large as the input until it is summed."""
    return (1 + at.continues) * at.read + at.weight
