"""UPCONV: the transposed convolution, which enlarges maps."""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.layers.arguments import COUNT, DEVIATION, PADS, PAIR, VALUE, Pads, Pair, Respelling, argument, flag
from archspec.layers.base import Example, Tensor, TorchModule, Window
from archspec.layers.conv import BIAS_DOC, LINEAR_DOC
from archspec.layers.demand import Demand, Workload
from archspec.layers.needs import need_map
from archspec.layers.onednn import transposed_convolution
from archspec.layers.weighted import BIAS_INIT_DOC, INIT_DOC, Weighted
from archspec.layers.window import AXES, NO_PADS


class TransposedConv(Weighted):
    """Transposed convolution: each pixel adds a weighted window, `stride` apart (Zeiler et al. 2010).

    The size is (H - 1)*S - 2P + F. A pad `p1:0` crops one pixel less at the end: torch's
    `output_padding`.
    """

    keyword = "UPCONV"
    known_as = ("convtranspose2d", "deconv", "convtranspose", "conv2dtranspose", "transposedconv", "transposeconv")
    output_axis = 1
    outputs = "filters"
    examples = (
        Example("UPCONV 6 2x2 s2", ((5, 4, 12),)),
        Example("UPCONV 4 3x3 s2 p1:0 nobias", ((5, 7, 3),)),
        Example("UPCONV 3 4x3 s3x1 p1", ((4, 6, 2),)),
    )

    filters: int = argument(COUNT, "the number of filters: the output's channels", positional=True)
    kernel: Pair = argument(PAIR, "height x width that one pixel contributes to", positional=True)
    stride: Pair = argument(PAIR, "the distance between windows", default=(1, 1), short="s")
    pad: Pads = argument(PADS, "pixels cropped around the output", default=NO_PADS, short="p")
    bias: bool | None = flag(BIAS_DOC, None, bias=True, nobias=False)
    linear: bool = flag(LINEAR_DOC, linear=True)
    init: float | None = argument(DEVIATION, INIT_DOC, default=None)
    bias_init: float | None = argument(VALUE, BIAS_INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        self.need_bias()
        volume = need_map(inputs[0], self.keyword)
        sizes = []
        for size, kernel, stride, (begin, end), axis in zip(
            volume.spatial, self.kernel, self.stride, self.pad, AXES, strict=True
        ):
            self._need_pads(begin, end, stride)
            painted = (size - 1) * stride + kernel
            if painted <= begin + end:
                note = f"({size} - 1)*{stride} + {kernel} - {begin + end} = {painted - begin - end}"
                message = f"pads of {begin + end} crop all {plural(painted, axis)} of the output"
                helps = (Respelling("`{}` crops as much as possible", pad=self._fitting(volume)),)
                raise Finding("E205", message, notes=(note,), helps=helps)
            sizes.append(painted - begin - end)
        return Volume((*sizes, self.filters))

    def _need_pads(self, begin: int, end: int, stride: int) -> None:
        """torch's bounds: 0 <= output_padding < stride."""
        if 0 <= begin - end < stride:
            return
        note = f"the end may crop up to {stride - 1} less than the start (stride - 1)"
        message = f"an UPCONV at stride {stride} cannot crop {begin} at the start and {end} at the end"
        ends = tuple(_within(pair, step) for pair, step in zip(self.pad, self.stride, strict=True))
        raise Finding("E205", message, notes=(note,), helps=(Respelling("`{}` can be cropped", pad=ends),))

    def _fitting(self, volume: Volume) -> tuple[Pair, ...]:
        """The largest pads that leave a pixel, where the present ones leave none."""
        painted = [(n - 1) * s + k for n, s, k in zip(volume.spatial, self.stride, self.kernel, strict=True)]
        most = [(size - 1) // 2 for size in painted]
        return tuple(
            ends if sum(ends) < size else (least, least)
            for ends, size, least in zip(self.pad, painted, most, strict=True)
        )

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        high, wide = self.kernel
        formula = f"({high}*{wide}*{channels})*{self.filters}"
        weight = Tensor("weight", (channels, self.filters, high, wide), formula)
        return (weight,) if self.bias is False else (weight, Tensor("bias", (self.filters,)))

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        height, width = inputs[0].spatial
        return height * width * self.tensors(inputs)[0].size

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        # a convolution at stride 1 over the pixels `stride` apart, which pads what this one leaves
        (top, _), (left, _) = self.pad
        pad = (self.kernel[0] - 1 - top, self.kernel[1] - 1 - left)
        return Window(self.kernel, pad=pad, scale=self.stride)

    def demand(self, at: Workload) -> Demand:
        return transposed_convolution(at)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule:
        (top, bottom), (left, right) = self.pad
        arguments = {
            "in_channels": inputs[0].channels,
            "out_channels": self.filters,
            "kernel_size": self.kernel,
            "stride": self.stride,
            "padding": (top, left),
            "output_padding": (top - bottom, left - right),
            "bias": self.bias is not False,
        }
        return TorchModule("ConvTranspose2d", arguments)


def _within(ends: Pair, stride: int) -> Pair:
    """The pads nearest to `ends` that torch can crop."""
    most = max(ends)
    return ends if 0 <= ends[0] - ends[1] < stride else (most, max(most - stride + 1, min(ends)))
