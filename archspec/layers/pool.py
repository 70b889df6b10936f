"""Pooling: POOL, AVGPOOL, GAP, GMP."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import PADS, PAIR, WORD, Pads, Pair, Respelling, argument, flag
from archspec.layers.base import POINTWISE, Example, Layer, TorchModule, Window
from archspec.layers.demand import COPY, INDEX_BYTES, Demand, Workload
from archspec.layers.needs import need_map
from archspec.layers.pixels import padded_apart
from archspec.layers.window import NO_PADS, ROUNDING, ROUNDING_DOC, SAME, padding, slide

PAD_DOC = "pixels around the map, ignored by the maximum and the mean"


class Pooling(Layer):
    """What POOL and AVGPOOL share: a window without weights, channel by channel."""

    kernel: Pair = argument(PAIR, "height x width of the window", positional=True)
    stride: Pair = argument(PAIR, "the step of the window; required", short="s")
    pad: Pads | str = argument(PADS, PAD_DOC, default=NO_PADS, short="p", words=SAME)
    rounding: str = argument(WORD, ROUNDING_DOC, default="", words=ROUNDING)

    @property
    def pads(self) -> Pads:
        """The padding, `same` worked out."""
        return padding(self.pad, self.kernel, (1, 1))

    @classmethod
    def shorthand(cls, number: int, dash: int | None) -> dict[str, Any] | None:
        """`POOL2`: 2x2 at stride 2, as the VGG listing writes it."""
        if dash is not None:
            return None
        if number == 0:
            helps = (Respelling("`{}` is 2x2 at stride 2", f"{cls.keyword}2"),)
            raise Finding("E105", "expected a window of at least 1x1, got 0x0", helps=helps)
        if number == 1:
            named = f"{cls.keyword}1: 2x2 s2"
            helps = (Respelling("`{}` is 2x2 at stride 2, and is called pool1", named),)
            raise Finding("E106", f"`{cls.keyword}1` says neither its window nor its stride", helps=helps)
        return {"kernel": (number, number), "stride": (number, number)}

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = need_map(inputs[0], self.keyword)
        for size, ends in zip(self.kernel, self.pads, strict=True):
            if 2 * max(ends) > size:
                notes = ("a window over padding alone has no maximum and no mean",)
                most = [min(max(pair), size // 2) for size, pair in zip(self.kernel, self.pads, strict=True)]
                helps = (Respelling("`{}` has the largest pad allowed", pad=tuple((pad, pad) for pad in most)),)
                message = f"pad {max(ends)} is more than half of the window's {size}"
                raise Finding("E205", message, notes=notes, helps=helps)
        height, width = slide(volume, self.kernel, self.stride, self.pads, (1, 1), self.rounding)
        return Volume((height, width, volume.channels))

    def slides(self) -> tuple[Pair, Pair, Pads, Pair]:
        return self.kernel, self.stride, self.pads, (1, 1)

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        (top, _), (left, _) = self.pads
        return Window(self.kernel, self.stride, (top, left))

    def parts(self, inputs: tuple[Volume, ...]) -> tuple[Layer, ...]:
        return padded_apart(self, self.pads)

    def _symmetric(self) -> dict[str, Any] | None:
        """torch's arguments, or None if torch's pools cannot pad like this."""
        (top, bottom), (left, right) = self.pads
        if top != bottom or left != right:
            return None
        ceil = self.rounding == "ceil"
        return {"kernel_size": self.kernel, "stride": self.stride, "padding": (top, left), "ceil_mode": ceil}


class MaxPool(Pooling):
    """Max pooling: the largest value of each window."""

    keyword = "POOL"
    aliases = ("MAXPOOL", "MAX POOL")
    passes_values = True
    known_as = ("maxpool2d", "maxpooling2d", "maxpooling")
    examples = (
        Example("POOL 2x2 s2", ((8, 8, 3),)),
        Example("MAXPOOL 3x3 s2 p1", ((9, 12, 2),)),
        Example("POOL 3x3 s2 ceil", ((8, 8, 2),)),
        Example("POOL 3x3 s2 p0:1", ((8, 6, 2),)),
        Example("POOL 1x1 s2", ((8, 7, 2),)),
    )

    def demand(self, at: Workload) -> Demand:
        # torch keeps the input, though only its shape is needed, and an int64 index for each output
        indices = INDEX_BYTES * at.batch * prod(at.volume)
        return Demand(keeps_inputs=True, keeps=indices, backward_spike=at.read, scattered=at.made)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        arguments = self._symmetric()
        return TorchModule("MaxPool2d", arguments) if arguments else None


class AvgPool(Pooling):
    """Average pooling: the mean of each window, of its pixels only unless `count_pad`."""

    keyword = "AVGPOOL"
    aliases = ("AVG POOL", "AVERAGE POOL")
    known_as = ("avgpool2d", "averagepooling2d", "averagepool", "avgpooling")
    is_linear = True
    examples = (
        Example("AVGPOOL 2x2 s2", ((8, 8, 3),)),
        Example("AVGPOOL 3x3 s1 p1", ((5, 6, 2),)),
        Example("AVGPOOL 3x3 s2 p1 count_pad ceil", ((8, 8, 2),)),
        Example("AVGPOOL 3x3 s2 p0:1", ((8, 6, 2),)),
    )

    count_pad: bool = flag("the mean counts padding as zeros", count_pad=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        try:
            return super().output(inputs)
        except Finding as finding:
            if finding.code != "E205" and inputs[0].is_map:
                finding.change_helps(lambda helps: [*self._global(inputs[0]), *helps])
            raise

    def _global(self, volume: Volume) -> list[str]:
        """The proposals of the mean of the whole map, where the window is most of it or more."""
        if any(2 * side <= size for side, size in zip(self.kernel, volume.spatial, strict=True)):
            return []
        window: dict[str, Any] = {"kernel": volume.spatial, "stride": (1, 1)}
        if any(map(any, self.pads)):
            window["pad"] = None
        return [
            Respelling("`{}` is the mean of the whole map", "GAP"),
            Respelling("`{}` covers the whole map", **window),
        ]

    def demand(self, at: Workload) -> Demand:
        # torch keeps the input, though only its shape is needed
        return Demand(keeps_inputs=True, backward_spike=at.read, scattered=at.made)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        arguments = self._symmetric()
        return TorchModule("AvgPool2d", {**arguments, "count_include_pad": self.count_pad}) if arguments else None


class GlobalPooling(Layer):
    """What GAP and GMP share: one number for each channel, or with `channels` for each pixel or vector."""

    free_words = ("channels",)

    channels: bool = flag("over the channels of each pixel instead, which gives [HxWx1]", channels=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = inputs[0]
        if len(volume) == 1:
            helps = (Respelling("drop it: a vector has one value per channel already", ""),)
            raise Finding("E204", f"{self.keyword} needs a map or a sequence, got the vector {volume}", helps=helps)
        return Volume((*volume.spatial, 1) if self.channels else volume[-1:])

    @property
    def keeps_channels(self) -> bool:
        return not self.channels

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return POINTWISE if self.channels else Window(is_global=True)


class GlobalAvgPool(GlobalPooling):
    """Global average pooling: the mean of each channel of a map, the mean vector of a sequence.

    From Network in Network (Lin et al. 2013).
    """

    keyword = "GAP"
    aliases = ("GLOBAL AVGPOOL",)
    known_as = (
        "adaptiveavgpool2d",
        "globalaveragepooling2d",
        "globalavgpool",
        "adaptiveavgpool",
        "globalavgpool2d",
        "globalaveragepool",
        "globalpool",
    )
    is_linear = True
    memory = COPY
    examples = (Example("GAP", ((7, 7, 5),)), Example("GAP channels", ((5, 6, 4),)), Example("GAP", ((6, 4),)))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        if self.channels:
            return f"{names[0]}.mean({inputs[0].channel_axis}, keepdim=True)"
        return f"{names[0]}.mean({'(2, 3)' if inputs[0].is_map else '1'})"


class GlobalMaxPool(GlobalPooling):
    """Global max pooling: the largest value of each channel of a map or a sequence.

    CBAM (Woo et al. 2018) has it beside GAP, `channels` too.
    """

    keyword = "GMP"
    aliases = ("GLOBAL MAXPOOL",)
    known_as = (
        "adaptivemaxpool2d",
        "globalmaxpooling2d",
        "globalmaxpool",
        "adaptivemaxpool",
        "globalmaxpool2d",
        "globalmaxpooling",
    )
    passes_values = True
    examples = (
        Example("GMP", ((7, 7, 5),)),
        Example("GMP channels", ((5, 6, 4),)),
        Example("GMP", ((6, 4),)),
        Example("GMP channels", ((6, 4),)),
    )

    def demand(self, at: Workload) -> Demand:
        return Demand(keeps=INDEX_BYTES * at.batch * prod(at.volume))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        # torch's `amax` would keep its input, and share the gradient among equal values
        if self.channels:
            return f"{names[0]}.max({inputs[0].channel_axis}, True).values"
        return f"{names[0]}{'.flatten(2).max(2)' if inputs[0].is_map else '.max(1)'}.values"
