"""Layers that move or scale channels: SHUFFLE, SLICE, PADCHANNELS, AFFINE, SCALE."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import COUNT, INDEX, REAL, VALUE, Respelling, argument, flag
from archspec.layers.base import Example, Layer, OnnxNode, Tensor, TorchModule
from archspec.layers.demand import COPY, WINDOW, Demand, Workload
from archspec.layers.needs import need_divisor, need_map
from archspec.layers.weighted import SCALE_INIT_DOC


class Shuffle(Layer):
    """Channel shuffle: the first channel of each group, then the second of each, ... (ShuffleNet, 2017)."""

    keyword = "SHUFFLE"
    known_as = ("channelshuffle",)
    is_linear = True
    memory = COPY
    examples = (Example("SHUFFLE 3", ((5, 4, 12),)), Example("SHUFFLE 2", ((3, 3, 6),)))

    groups: int = argument(COUNT, "the groups that are mixed", positional=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = need_map(inputs[0], self.keyword)
        need_divisor(self.groups, "groups", {"channel": volume.channels})
        return volume

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("ChannelShuffle", {"groups": self.groups})


class Slice(Layer):
    """The channels from `begin` up to but excluding `end`, counted from 0."""

    keyword = "SLICE"
    keeps_channels = False
    is_linear = True
    in_place = True
    is_view = True
    leaves_window = True
    memory = WINDOW
    examples = (
        Example("SLICE 0 3", ((5, 4, 6),)),
        Example("SLICE 2 5", ((7, 6),)),
        Example("SLICE 1 2", ((6,),)),
    )

    begin: int = argument(INDEX, "the first channel", positional=True)
    end: int = argument(COUNT, "the channel after the last", positional=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = inputs[0]
        if self.end > volume.channels:
            begin = min(self.begin, volume.channels - 1)
            helps = (Respelling("`{}` goes up to the last", begin=begin, end=volume.channels),)
            message = f"SLICE takes channels up to {self.end}, but {volume} has {volume.channels}"
            raise Finding("E205", message, helps=helps)
        if self.begin >= self.end:
            begin = min(self.begin, volume.channels - 1)
            helps = (Respelling("`{}` takes one channel: the end is excluded", begin=begin, end=begin + 1),)
            raise Finding("E205", f"SLICE from {self.begin} to {self.end} takes no channel", helps=helps)
        return Volume((*volume.spatial, self.end - self.begin))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return f"{names[0]}.narrow({inputs[0].channel_axis}, {self.begin}, {self.end - self.begin})"

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        axes = (inputs[0].channel_axis,)
        return OnnxNode("Slice", constants={"begin": (self.begin,), "end": (self.end,), "axes": axes})


class PadChannels(Layer):
    """Channels of zeros, half of them before and half after: ResNet's shortcut without parameters.

    He et al. 2015 (option A, section 4.2) do not say where the zeros go; the implementations for CIFAR in
    common use put half on each side. An odd one goes after.
    """

    keyword = "PADCHANNELS"
    keeps_channels = False
    is_linear = True
    memory = COPY
    examples = (
        Example("PADCHANNELS 8", ((5, 4, 3),)),
        Example("PADCHANNELS 4", ((7, 2),)),
        Example("PADCHANNELS 6", ((6,),)),
    )

    channels: int = argument(COUNT, "the number of output channels", positional=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = inputs[0]
        if self.channels < volume.channels:
            helps = (Respelling(f"`{{}}` takes the first {self.channels}", "SLICE 0 {channels}"),)
            message = f"PADCHANNELS outputs {self.channels} channels, but {volume} has {volume.channels}"
            raise Finding("E205", message, helps=helps)
        return Volume((*volume.spatial, self.channels))

    def _ends(self, volume: Volume) -> tuple[int, int]:
        more = self.channels - volume.channels
        return more // 2, more - more // 2

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        ends = (*((0, 0, 0, 0) if inputs[0].is_map else ()), *self._ends(inputs[0]))
        return f"functional.pad({names[0]}, {ends})"

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        volume = inputs[0]
        pads = [0] * (2 * len(volume) + 2)  # of all axes, the batch first: their begins, then their ends
        pads[volume.channel_axis], pads[volume.channel_axis + len(volume) + 1] = self._ends(volume)
        return OnnxNode("Pad", constants={"pads": tuple(pads)})


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
