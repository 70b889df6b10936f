"""Scales and shifts of channels: AFFINE, SCALE."""

from __future__ import annotations

from archspec.graph.volume import Volume
from archspec.layers.arguments import REAL, argument, flag
from archspec.layers.base import Example, Layer, Tensor


class Affine(Layer):
    """A learned scale and shift of each channel, where others normalise (ResMLP, Touvron et al. 2021)."""

    keyword = "AFFINE"
    role = "normalisation"
    is_linear = True
    examples = (Example("AFFINE", ((6, 4),)), Example("AFFINE", ((5, 6, 4),)))

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        return (Tensor("weight", (channels,)), Tensor("bias", (channels,)))


class Scale(Layer):
    """A learned factor for each channel (LayerScale, Touvron et al. 2021), or one that stays `fixed`."""

    keyword = "SCALE"
    is_linear = True
    examples = (
        Example("SCALE 1e-6", ((5, 6, 4),)),
        Example("SCALE 0.1", ((6, 4),)),
        Example("SCALE 0.17 fixed", ((5, 6, 4),)),
    )

    value: float = argument(REAL, "the factor, or where it starts", positional=True)
    fixed: bool = flag("one constant for all channels", fixed=True)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return () if self.fixed else (Tensor("weight", (inputs[0].channels,)),)
