"""Layers that move pixels: SPACE2DEPTH, SHIFT, PAD, UPSAMPLE. They take maps."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import COUNT, PADS, WORD, Pads, Respelling, argument
from archspec.layers.base import Example, Layer, TorchModule, Window
from archspec.layers.demand import COPY, COPY_OR_VIEW, Demand, Workload
from archspec.layers.needs import need_map, need_tiles, pad_to_tiles

DIRECTIONS = 4
COLUMNS = (("columns", "columns"),)
BILINEAR = (("bilinear", "bilinear"),)


class SpaceToDepth(Layer):
    """Each block of n x n pixels becomes one pixel of n*n times the channels, one pixel after the other.

    The pixels of a block come row by row, as in ONNX's SpaceToDepth; with `columns` column by column, as in
    Swin's patch merging (Liu et al. 2021).
    """

    keyword = "SPACE2DEPTH"
    keeps_channels = False
    is_linear = True
    memory = COPY_OR_VIEW  # a map of one block needs no copy
    examples = (Example("SPACE2DEPTH 2", ((6, 4, 3),)), Example("SPACE2DEPTH 2 columns", ((4, 6, 5),)))

    block: int = argument(COUNT, "n, the side of a block", positional=True)
    order: str = argument(WORD, "`columns` reads a block column by column", default="rows", words=COLUMNS)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume, n = need_map(inputs[0], self.keyword), self.block
        need_tiles(volume, n, "blocks", (pad_to_tiles(volume, n),))
        return Volume((volume[0] // n, volume[1] // n, volume.channels * n * n))

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window((self.block, self.block), (self.block, self.block))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        # the rows and columns of a block move before the channels: a view, a permutation, a copy
        n, (height, width, channels) = self.block, inputs[0]
        order = (0, 3, 5, 1, 2, 4) if self.order == "rows" else (0, 5, 3, 1, 2, 4)
        shape = f"({channels}, {height // n}, {n}, {width // n}, {n})"
        return f"{names[0]}.flatten(1).unflatten(1, {shape}).permute{order}.flatten(1, 3)"


class Shift(Layer):
    """Moves four groups of channels by a pixel: down, up, right, left (S2-MLP, Yu et al. 2021).

    As in S2-MLP's Algorithm 1, the pixels at the edge keep their values.
    """

    keyword = "SHIFT"
    is_linear = True
    examples = (Example("SHIFT", ((5, 6, 8),)), Example("SHIFT", ((3, 3, 4),)))

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = need_map(inputs[0], self.keyword)
        if over := volume.channels % DIRECTIONS:
            helps = (
                Respelling("`{}` gives a multiple of 4", f"PADCHANNELS {volume.channels - over + DIRECTIONS} -> {{}}"),
            )
            message = f"SHIFT moves 4 groups of channels, but 4 does not divide {volume.channels}"
            raise Finding("E203", message, helps=helps)
        return volume

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window((3, 3), pad=(1, 1))

    def demand(self, at: Workload) -> Demand:
        # four quarters, each a concat of two windows, and a concat of them
        return Demand(forward_spike=2 * at.made, backward_spike=at.made * 5 // 4)


class Pad(Layer):
    """Zeros around a map, as a separate layer."""

    keyword = "PAD"
    known_as = ("zeropad2d", "zeropadding2d")
    is_linear = True
    memory = COPY
    examples = (
        Example("PAD p1", ((5, 4, 3),)),
        Example("PAD p0:1", ((5, 4, 3),)),
        Example("PAD p0x2:1", ((5, 4, 3),)),
    )

    pad: Pads = argument(PADS, "pixels of zeros around the map", short="p")

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = need_map(inputs[0], self.keyword)
        height, width = (size + sum(ends) for size, ends in zip(volume.spatial, self.pad, strict=True))
        return Volume((height, width, volume.channels))

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        (top, _), (left, _) = self.pad
        return Window(pad=(top, left))

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        (top, bottom), (left, right) = self.pad
        return TorchModule("ZeroPad2d", {"padding": (left, right, top, bottom)})


class Upsample(Layer):
    """A map n times as high and wide: pixels repeated, or interpolated if `bilinear` (torch's align_corners=False)."""

    keyword = "UPSAMPLE"
    known_as = ("upsampling2d",)
    is_linear = True
    examples = (
        Example("UPSAMPLE 2", ((5, 4, 3),)),
        Example("UPSAMPLE 2 bilinear", ((5, 4, 3),)),
        Example("UPSAMPLE 3 bilinear", ((4, 5, 2),)),
    )

    factor: int = argument(COUNT, "the scale factor n", positional=True)
    mode: str = argument(WORD, "`bilinear` interpolates between pixels", default="nearest", words=BILINEAR)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        height, width, channels = need_map(inputs[0], self.keyword)
        return Volume((height * self.factor, width * self.factor, channels))

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        n = self.factor
        if self.mode == "nearest":
            kernel, pad = n, n - 1
        else:  # the triangle of weights is 2n wide, and its ends are zeros where n is odd
            kernel, pad = 2 * n - n % 2, (3 * n - 2) // 2
        return Window((kernel, kernel), pad=(pad, pad), scale=(n, n))

    def demand(self, at: Workload) -> Demand:
        # small results of more than 3 channels are computed on channels-last copies (ATen's UpSampleKernel.cpp)
        high, wide, width = at.volume
        copies = at.read + 2 * at.made if high + wide <= 128 and width > 3 else 0
        return Demand(forward_spike=copies)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        return TorchModule("Upsample", {"scale_factor": self.factor, "mode": self.mode})


def padded_apart(layer: Layer, pads: Pads) -> tuple[Layer, ...]:
    """What torch runs for a window: pads that differ from end to end take an operation of their own."""
    (top, bottom), (left, right) = pads
    return () if top == bottom and left == right else (Pad(pads), layer)
