"""Convolutions: CONV, DWCONV (depthwise)."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import (
    COUNT,
    DEVIATION,
    PADS,
    PAIR,
    VALUE,
    WORD,
    Pads,
    Pair,
    Respelling,
    argument,
    flag,
)
from archspec.layers.base import Example, Layer, Tensor, TorchModule, Window
from archspec.layers.demand import Demand, Workload
from archspec.layers.needs import need_divisor, need_map
from archspec.layers.onednn import convolution
from archspec.layers.pixels import padded_apart
from archspec.layers.weighted import BIAS_INIT_DOC, INIT_DOC, Weighted
from archspec.layers.window import NO_PADS, ROUNDING, ROUNDING_DOC, SAME, padding, slide

BIAS_DOC = "a bias for each filter; by default, unless a BN follows"
LINEAR_DOC = "`after` adds no activation to this layer"


class Convolution(Weighted):
    """What CONV and DWCONV share: a window with weights."""

    kernel: Pair = argument(PAIR, "height x width of the window", positional=True)
    stride: Pair = argument(PAIR, "the step of the window", default=(1, 1), short="s")
    pad: Pads | str = argument(PADS, "pixels of zeros around the map", default=NO_PADS, short="p", words=SAME)
    dilation: Pair = argument(PAIR, "the distance between the window's pixels", default=(1, 1), short="d")
    bias: bool | None = flag(BIAS_DOC, None, bias=True, nobias=False)
    rounding: str = argument(WORD, ROUNDING_DOC, default="", words=ROUNDING)
    linear: bool = flag(LINEAR_DOC, linear=True)
    init: float | None = argument(DEVIATION, INIT_DOC, default=None)
    bias_init: float | None = argument(VALUE, BIAS_INIT_DOC, default=None)

    @property
    def pads(self) -> Pads:
        """The padding, `same` worked out."""
        return padding(self.pad, self.kernel, self.dilation)

    def filters_of(self, channels: int) -> int:
        """The number of filters for an input with that many channels."""
        raise NotImplementedError

    def groups_of(self, channels: int) -> int:
        """The number of groups for an input with that many channels."""
        raise NotImplementedError

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        self.need_bias()
        volume = self._need_map(inputs[0])
        height, width = slide(volume, self.kernel, self.stride, self.pads, self.dilation, self.rounding)
        filters, groups = self.filters_of(volume.channels), self.groups_of(volume.channels)
        need_divisor(groups, "groups", {"channel": volume.channels, "filter": filters})
        return Volume((height, width, filters))

    def _need_map(self, volume: Volume) -> Volume:
        return need_map(volume, self.keyword)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        filters, groups = self.filters_of(channels), self.groups_of(channels)
        high, wide = self.kernel
        formula = f"({high}*{wide}*{channels // groups})*{filters}"
        weight = Tensor("weight", (filters, channels // groups, high, wide), formula)
        return (weight,) if self.bias is False else (weight, Tensor("bias", (filters,)))

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        return output[0] * output[1] * self.tensors(inputs)[0].size

    def slides(self) -> tuple[Pair, Pair, Pads, Pair]:
        return self.kernel, self.stride, self.pads, self.dilation

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        (top, _), (left, _) = self.pads
        return Window(self.kernel, self.stride, (top, left), self.dilation)

    def demand(self, at: Workload) -> Demand:
        return convolution(at, self.stride)

    def parts(self, inputs: tuple[Volume, ...]) -> tuple[Layer, ...]:
        return padded_apart(self, self.pads)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        channels = inputs[0].channels
        (top, bottom), (left, right) = self.pads
        if top != bottom or left != right or self.rounding == "ceil":
            return None
        arguments = {
            "in_channels": channels,
            "out_channels": self.filters_of(channels),
            "kernel_size": self.kernel,
            "stride": self.stride,
            "padding": (top, left),
            "dilation": self.dilation,
            "groups": self.groups_of(channels),
            "bias": self.bias is not False,
        }
        return TorchModule("Conv2d", arguments)


class Conv(Convolution):
    """Convolution: each of the filters sees all channels of its window, or those of its group."""

    keyword = "CONV"
    known_as = ("conv1d", "conv2d", "convolution")
    outputs = "filters"
    examples = (
        Example("CONV 96 11x11 s4", ((227, 227, 3),)),
        Example("CONV 8 3x3 same d2 nobias", ((12, 12, 4),)),
        Example("CONV 8 1x3 p0x1 s2x1 groups=4", ((9, 8, 4),)),
        Example("CONV 4 3x3 s2 p0:1", ((8, 6, 2),)),
        Example("CONV 4 3x3 s2 ceil", ((8, 7, 2),)),
    )

    filters: int = argument(COUNT, "the number of filters: the output's channels", positional=True)
    groups: int = argument(COUNT, "groups of channels that do not see each other", default=1, short="g")

    @classmethod
    def shorthand(cls, number: int, dash: int | None) -> dict[str, Any] | None:
        """`CONV3-64`: 64 filters of 3x3 at stride 1 that keep the size (as the VGG paper writes it)."""
        if dash is None:
            return None
        if not number or not dash:
            message = "expected a window of at least 1x1, got 0x0" if dash else "expected a count of filters, got 0"
            helps = (Respelling("`{}`, for example", f"{cls.keyword}{number or 3}-{dash or 64}"),)
            raise Finding("E105", message, helps=helps)
        ends = (number // 2, number // 2) if number % 2 else None
        return {"filters": dash, "kernel": (number, number), "pad": (ends, ends) if ends else "same"}

    def _need_map(self, volume: Volume) -> Volume:
        helps: tuple[str, ...] = ()
        if not volume.is_map and self.kernel == (1, 1):
            helps = (Respelling(f"`{{}}` is the same on a {volume.kind}", "FC {filters}"),)
        return need_map(volume, self.keyword, helps)

    def filters_of(self, channels: int) -> int:
        return self.filters

    def groups_of(self, channels: int) -> int:
        return self.groups


class DepthwiseConv(Convolution):
    """Depthwise convolution: one filter a channel (MobileNet, Howard et al. 2017)."""

    keyword = "DWCONV"
    known_as = ("depthwiseconv2d", "depthwiseconv", "dwconv2d", "depthwise")
    examples = (
        Example("DWCONV 3x3 s2 p1", ((8, 8, 6),)),
        Example("DWCONV 5x5 same", ((7, 9, 4),)),
        Example("DWCONV 3x3 s2 p0:1", ((8, 8, 6),)),
    )

    def filters_of(self, channels: int) -> int:
        return channels

    def groups_of(self, channels: int) -> int:
        return channels
