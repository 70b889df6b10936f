"""MHSA: multi-head self-attention, over a sequence or within windows of a map."""

from __future__ import annotations

from math import gcd, prod
from typing import ClassVar

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import FLOAT_BYTES, Volume
from archspec.layers.arguments import COUNT, DEVIATION, INDEX, Pair, Respelling, argument, flag
from archspec.layers.base import Example, Layer, Tensor, Window
from archspec.layers.demand import COPY_OR_VIEW, THREADS, Demand, Workload
from archspec.layers.linear import FullyConnected
from archspec.layers.needs import largest_divisor, need_divisor, need_map, need_sequence, need_tiles
from archspec.layers.weighted import INIT_DOC

SWIN_WINDOW = 7  # the side that hints propose, if it fits


class Attention(Layer):
    """Multi-head self-attention, softmax(Q K^T / sqrt(d)) V for each head (Vaswani et al. 2017).

    One weight matrix with biases computes Q, K and V, another joins the heads; d is the number of channels per head.
    With `window=7` it works on a map, within windows of 7x7 pixels (Swin, Liu et al. 2021). `shift=3` moves the
    windows by 3 pixels; the parts cut off at the edges are separate windows. There is no shift along an axis that
    one window covers. `relpos` adds a learned number to the scores for each offset between two pixels.
    """

    keyword = "MHSA"
    known_as = ("multiheadattention", "attention", "mha", "multiheadselfattention", "selfattention")
    is_weight_layer = True
    memory = Demand(keeps_inputs=True, keeps_output=True, is_view=True)  # of a whole; its parts say more
    examples = (
        Example("MHSA 3", ((6, 12),)),
        Example("MHSA 2 window=3", ((6, 9, 4),)),
        Example("MHSA 2 window=4 shift=1 relpos", ((12, 8, 6),)),
        Example("MHSA 2 window=4 shift=2 relpos", ((4, 8, 4),)),
        Example("MHSA 1 window=4 shift=2 relpos", ((4, 4, 4),)),
    )

    heads: int = argument(COUNT, "the number of heads, which share the channels equally", positional=True)
    window: int | None = argument(COUNT, "the side of the windows of a map", default=None)
    shift: int = argument(INDEX, "how many pixels the windows are shifted by", default=0)
    relpos: bool = flag("scores depend on the offset between two pixels of a window", relpos=True)
    init: float | None = argument(DEVIATION, INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = inputs[0]
        if self.window is None:
            self._need_plain(volume)
        else:
            plain = Respelling("`{}` attends to the whole sequence", "{}", window=None, shift=None, relpos=None)
            need_map(volume, f"MHSA {self.heads} window={self.window}", (plain,) if len(volume) == 2 else ())
            self._need_windows(volume, self.window)
        need_divisor(self.heads, "heads", {"channel": volume.channels})
        return volume

    def _need_plain(self, volume: Volume) -> None:
        """Raise for a volume or an argument that does not fit attention over a whole sequence."""
        if volume.is_map:
            side = largest_divisor(gcd(*volume.spatial), SWIN_WINDOW)
            windows = (Respelling(f"`{{}}` works on windows of {side}x{side}", window=side),) if side > 1 else ()
            helps = (Respelling("`{}` turns the map into a sequence of pixels", "TOKENS -> {}"), *windows)
            message = f"MHSA without `window` needs a sequence, [NxC], got the map {volume}"
            raise Finding("E204", message, helps=helps)
        need_sequence(volume, self.keyword)
        for word, given in (("shift", self.shift), ("relpos", self.relpos)):
            if given:
                message = f"`{word}` requires windows of a map, and MHSA got the sequence {volume}"
                raise Finding(
                    "E205", message, helps=(Respelling("`{}` attends to the whole sequence", "{}", **{word: None}),)
                )

    def _need_windows(self, volume: Volume, side: int) -> None:
        """Raise unless windows of `side` tile the map and are shifted by less than their side."""
        if self.shift >= side:
            helps = (Respelling("`{}` shifts by half a window, as Swin does", shift=side // 2),)
            raise Finding("E205", f"a shift of {self.shift} must be less than the window of {side}", helps=helps)
        fit = largest_divisor(gcd(*volume.spatial), side)
        need_tiles(volume, side, "windows", (Respelling("`{}` tiles it", window=fit),) if fit > 1 else ())

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0].channels
        tensors = [
            Tensor("qkv.weight", (3 * channels, channels), f"{channels}*{3 * channels}"),
            Tensor("qkv.bias", (3 * channels,)),
            Tensor("proj.weight", (channels, channels), f"{channels}*{channels}"),
            Tensor("proj.bias", (channels,)),
        ]
        if self.relpos and self.window is not None:
            offsets = 2 * self.window - 1
            formula = f"({offsets}*{offsets})*{self.heads}"
            tensors.append(Tensor("relative_position_bias_table", (offsets**2, self.heads), formula))
        return tuple(tensors)

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        return self._vectors(inputs[0]) * 4 * output.channels**2

    def attention_macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        return 2 * self._vectors(inputs[0]) * self._seen(inputs[0]) * output.channels

    def scratch(self, inputs: tuple[Volume, ...]) -> int:
        return self.heads * self._vectors(inputs[0]) * self._seen(inputs[0])

    def _vectors(self, volume: Volume) -> int:
        return volume.values // volume.channels

    def _seen(self, volume: Volume) -> int:
        """How many vectors each vector attends to."""
        return self._vectors(volume) if self.window is None else self.window**2

    def shifts(self, volume: Volume) -> Pair:
        """The shift along the height and the width of a map."""
        height, width = volume.spatial
        side = self.window or max(height, width)
        return (0 if side >= height else self.shift, 0 if side >= width else self.shift)

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        volume, side = inputs[0], self.window
        if side is None or side >= max(volume.spatial):
            return Window(is_global=True)
        high, wide = self.shifts(volume)
        return Window((side, side), pad=(-high % side, -wide % side), is_tiled=True)

    def parts(self, inputs: tuple[Volume, ...]) -> tuple[Layer, ...]:
        """A projection to queries, keys and values, attention, a projection; Swin's are cut into windows and joined."""
        volume, channels = inputs[0], inputs[0].channels
        vectors = (prod(volume.spatial), channels)
        rolls = self.window is not None and any(self.shifts(volume))
        bias = ((2 * self.window - 1) ** 2, self.heads) if self.relpos and self.window is not None else ()
        core = AttentionCore(vectors, self.heads, self.scratch(inputs), bias, is_masked=rolls)
        attend = (FullyConnected(3 * channels), core, FullyConnected(channels))
        if self.window is None:
            return attend
        rolled = (Rearranged(tuple(volume)),) if rolls else ()
        return (*rolled, Rearranged(vectors), *attend, Rearranged(tuple(volume)), *rolled)


class Rearranged(Layer):
    """Part of an attention: a map rolled, cut into windows, or put together again: a copy."""

    memory: ClassVar[Demand] = COPY_OR_VIEW

    shape: tuple[int, ...]

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return Volume(self.shape)


class AttentionCore(Layer):
    """Part of an attention: softmax(Q K^T) V, of queries, keys and values side by side."""

    shape: tuple[int, int]
    heads: int
    scores: int  # for one image
    bias: tuple[int, ...]  # the shape of what is learned and added to the scores: torch has no fused kernel for that
    is_masked: bool  # pixels that only the shift brought together do not see each other

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return Volume(self.shape)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return (Tensor("bias", self.bias),) if self.bias else ()

    def demand(self, at: Workload) -> Demand:
        """Fused: q, k, v and the result kept, and a number a query. Otherwise copies of q, k, v, and the softmax.

        While windows are cut and joined the original map is alive too: the layer's caller holds it.
        """
        if not self.bias:
            return self._fused(at)
        size, scores = at.made, FLOAT_BYTES * at.batch * self.scores
        forward = max(6 * size + scores, 4 * size + 2 * scores + scores // 4) + (scores if self.is_masked else 0)
        return Demand(keeps=3 * size + scores, forward_spike=forward, backward_spike=max(3 * size, size + scores))

    def _fused(self, at: Workload) -> Demand:
        """Each thread has buffers for a block of the scores, two of them backward (ATen's FlashAttentionKernel.cpp)."""
        vectors, channels = at.volume
        queries = 256 if vectors >= 768 else 64 if vectors >= 192 else 32
        block = FLOAT_BYTES * THREADS * queries * min(vectors, 512)
        keeps = FLOAT_BYTES * at.batch * vectors * self.heads
        forward = at.made + keeps + block + FLOAT_BYTES * THREADS * queries * (2 + channels // self.heads)
        backward = 3 * at.made + 2 * block
        return Demand(keeps_inputs=True, keeps_output=True, keeps=keeps, forward_spike=forward, backward_spike=backward)
