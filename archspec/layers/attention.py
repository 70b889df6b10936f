"""MHSA: multi-head attention, over a sequence, to another one, or within windows or grids of a map."""

from __future__ import annotations

from math import gcd, prod

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.arguments import COUNT, DEVIATION, INDEX, Pair, Respelling, argument, flag, volume
from archspec.layers.base import Example, Layer, Tensor, Window
from archspec.layers.demand import Demand, Workload
from archspec.layers.linear import FullyConnected
from archspec.layers.needs import largest_divisor, need_divisor, need_map, need_sequence, need_tiles
from archspec.layers.weighted import INIT_DOC

SWIN_WINDOW = 7  # the side that hints propose, if it fits
_OF_MAPS = ("window", "grid", "shift", "relpos")


class Attention(Layer):
    """Multi-head self-attention, softmax(Q K^T / sqrt(d)) V for each head (Vaswani et al. 2017).

    One weight matrix with biases computes Q, K and V, another joins the heads; d is the number of channels per head.
    `causal` lets each vector see only itself and those before it (GPT). `kv=@memory` takes keys and values from another
    sequence, `k=@k v=@v` from two; then Q has a matrix, K and V have one or one each.
    With `window=7` it works on a map, within windows of 7x7 pixels (Swin, Liu et al. 2021). `shift=3` moves the
    windows by 3 pixels; the parts cut off at the edges are separate windows. There is no shift along an axis that
    one window covers. With `grid=7` 7x7 pixels spread evenly over the map see each other (MaxViT, Tu et al. 2022).
    `relpos` adds a learned number to the scores for each offset between two pixels.
    """

    keyword = "MHSA"
    known_as = ("multiheadattention", "attention", "mha", "multiheadselfattention", "selfattention")
    is_weight_layer = True
    examples = (
        Example("MHSA 3", ((6, 12),)),
        Example("MHSA 2 window=3", ((6, 9, 4),)),
        Example("MHSA 2 causal width=8 qkv_nobias", ((5, 12),)),
        Example("MHSA 2 kv=@memory", ((5, 8), (7, 6))),
        Example("MHSA 2 k=@k v=@v width=4 nobias", ((5, 6), (7, 8), (7, 3))),
        Example("MHSA 2 grid=3 relpos", ((6, 9, 4),)),
        Example("MHSA 2 window=4 shift=1 relpos", ((12, 8, 6),)),
        Example("MHSA 2 window=4 shift=2 relpos", ((4, 8, 4),)),
        Example("MHSA 1 window=4 shift=2 relpos", ((4, 4, 4),)),
    )

    free_words = ("causal", "qkv_nobias")

    heads: int = argument(COUNT, "the number of heads, which share the channels equally", positional=True)
    window: int | None = argument(COUNT, "the side of the windows of a map", default=None)
    grid: int | None = argument(COUNT, "the side of the grids of a map", default=None)
    shift: int = argument(INDEX, "how many pixels the windows are shifted by", default=0)
    relpos: bool = flag("scores depend on the offset between two pixels of a window or a grid", relpos=True)
    causal: bool = flag("no vector sees those after it", causal=True)
    width: int | None = argument(COUNT, "the channels of all heads together; by default, the input's", default=None)
    bias: bool = flag("biases of all matrices", True, nobias=False)
    qkv_bias: bool = flag("biases of Q, K and V", True, qkv_nobias=False)
    kv: bool = volume("the sequence that keys and values come from")
    k: bool = volume("the sequence that keys come from")
    v: bool = volume("the sequence that values come from")
    init: float | None = argument(DEVIATION, INIT_DOC, default=None)

    @property
    def side(self) -> int | None:
        """The side of the windows or grids of a map; None of a sequence."""
        return self.window or self.grid

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        entering = inputs[0]
        if self.side is None:
            self._need_plain(entering)
            self._need_given(inputs[1:])
        else:
            self._need_alone()
            plain = Respelling("`{}` attends to the whole sequence", "{}", **dict.fromkeys(_OF_MAPS))
            word = "window" if self.window else "grid"
            need_map(entering, f"MHSA {self.heads} {word}={self.side}", (plain,) if len(entering) == 2 else ())
            self._need_windows(entering, self.side)
        need_divisor(self.heads, "heads", {"channel": self._width(entering)})
        return entering

    def _need_alone(self) -> None:
        """Raise for arguments that windows and grids exclude."""
        if self.window is not None and self.grid is not None:
            choices = (Respelling("`{}` has windows", grid=None), Respelling("`{}` has grids", window=None, shift=None))
            raise Finding("E205", "`window` and `grid` exclude each other", helps=choices)
        if self.shift and self.grid is not None:
            without = Respelling("`{}`", shift=None)
            raise Finding("E205", "`shift` requires windows, and `grid` has none", helps=(without,))
        for word in ("causal", *self.given):
            if getattr(self, word):
                helps = (Respelling("`{}`", **{word: None}),) if word == "causal" else ()
                kind = "window" if self.window else "grid"
                raise Finding("E205", f"`{word}` is of sequences, and `{kind}` of maps", helps=helps)

    def _need_given(self, given: tuple[Volume, ...]) -> None:
        """Raise unless keys and values are sequences of the same length, given once each."""
        words: tuple[str, ...] = self.given
        if words not in ((), ("kv",), ("k", "v")):
            notes = ("`kv=@memory` is both, `k=@k v=@v` one each",)
            given_words = "` and `".join(words)
            raise Finding("E205", f"expected `kv`, or `k` and `v`, got `{given_words}`", notes=notes)
        for word, volume_given in zip(words, given, strict=True):
            if len(volume_given) != 2:
                message = f"`{word}` needs a sequence, [NxC], got the {volume_given.kind} {volume_given}"
                raise Finding("E204", message)
        if len(given) == 2 and given[0][0] != given[1][0]:
            raise Finding("E206", f"`k` has {given[0][0]} vectors and `v` {given[1][0]}: each key needs a value")
        if given and self.causal:
            helps = (Respelling("`{}` sees all of the other sequence", causal=None),)
            raise Finding("E205", f"`causal` is of one sequence, and `{self.given[0]}` is another", helps=helps)

    def _need_plain(self, entering: Volume) -> None:
        """Raise for a volume or an argument that does not fit attention over a whole sequence."""
        if entering.is_map:
            side = largest_divisor(gcd(*entering.spatial), SWIN_WINDOW)
            windows = (Respelling(f"`{{}}` works on windows of {side}x{side}", window=side),) if side > 1 else ()
            windows = () if self.causal or self.given else windows
            helps = (Respelling("`{}` turns the map into a sequence of pixels", "TOKENS -> {}"), *windows)
            message = f"MHSA without `window` needs a sequence, [NxC], got the map {entering}"
            raise Finding("E204", message, helps=helps)
        need_sequence(entering, self.keyword)
        for word, given in (("shift", self.shift), ("relpos", self.relpos)):
            if given:
                message = f"`{word}` requires windows of a map, and MHSA got the sequence {entering}"
                raise Finding(
                    "E205", message, helps=(Respelling("`{}` attends to the whole sequence", "{}", **{word: None}),)
                )

    def _need_windows(self, entering: Volume, side: int) -> None:
        """Raise unless windows or grids of `side` tile the map, and are shifted by less than their side."""
        if self.shift >= side:
            helps = (Respelling("`{}` shifts by half a window, as Swin does", shift=side // 2),)
            raise Finding("E205", f"a shift of {self.shift} must be less than the window of {side}", helps=helps)
        fit, word = largest_divisor(gcd(*entering.spatial), side), "window" if self.window else "grid"
        need_tiles(entering, side, f"{word}s", (Respelling("`{}` tiles it", **{word: fit}),) if fit > 1 else ())

    def _width(self, entering: Volume) -> int:
        return self.width or entering.channels

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        channels, width = inputs[0].channels, self._width(inputs[0])
        matrices = [("q", width, channels)] if self.given else [("qkv", 3 * width, channels)]
        for word, given in zip(self.given, inputs[1:], strict=True):
            matrices.append((word, len(word) * width, given.channels))
        tensors = []
        for name, many, few in (*matrices, ("proj", channels, width)):
            tensors.append(Tensor(f"{name}.weight", (many, few), f"{few}*{many}"))
            if self.bias and (self.qkv_bias or name == "proj"):
                tensors.append(Tensor(f"{name}.bias", (many,)))
        if self.relpos and self.side is not None:
            offsets = 2 * self.side - 1
            formula = f"({offsets}*{offsets})*{self.heads}"
            tensors.append(Tensor("relative_position_bias_table", (offsets**2, self.heads), formula))
        return tuple(tensors)

    def macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        width = self._width(inputs[0])
        own = self._vectors(inputs[0]) * inputs[0].channels * (2 if self.given else 4) * width
        words = zip(self.given, inputs[1:], strict=True)
        return own + sum(len(word) * width * given.values for word, given in words)

    def attention_macs(self, inputs: tuple[Volume, ...], output: Volume) -> int:
        return 2 * self._vectors(inputs[0]) * self._seen(inputs) * self._width(inputs[0])

    def scratch(self, inputs: tuple[Volume, ...]) -> int:
        return self.heads * self._vectors(inputs[0]) * self._seen(inputs)

    def _vectors(self, entering: Volume) -> int:
        return entering.values // entering.channels

    def _seen(self, inputs: tuple[Volume, ...]) -> int:
        """How many vectors each vector attends to."""
        return self._vectors(inputs[-1]) if self.side is None else self.side**2

    def shifts(self, entering: Volume) -> Pair:
        """The shift along the height and the width of a map."""
        height, width = entering.spatial
        side = self.window or max(height, width)
        return (0 if side >= height else self.shift, 0 if side >= width else self.shift)

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        entering, side = inputs[0], self.window
        if side is None or side >= max(entering.spatial):
            return Window(is_global=True)  # the pixels of a grid lie all over the map
        high, wide = self.shifts(entering)
        return Window((side, side), pad=(-high % side, -wide % side), is_tiled=True)

    def demand(self, at: Workload) -> Demand:
        if not self.given:  # its parts say more
            return Demand(keeps_inputs=True, keeps_output=True, is_view=True)
        from archspec.layers.attention_parts import cross_attention  # few networks need it

        return cross_attention(at, at.inputs[-1][0], self._width(at.inputs[0]), self.heads)

    def parts(self, inputs: tuple[Volume, ...]) -> tuple[Layer, ...]:
        """A projection to queries, keys and values, attention, a projection; Swin's are cut into windows and joined."""
        if self.given:
            return ()
        from archspec.layers.attention_parts import AttentionCore, Rearranged  # few networks need them

        entering, channels, width = inputs[0], inputs[0].channels, self._width(inputs[0])
        places = prod(entering.spatial)
        rolls = self.window is not None and any(self.shifts(entering))
        bias = ((2 * self.side - 1) ** 2, self.heads) if self.relpos and self.side is not None else ()
        core = AttentionCore((places, width), self.heads, self.scratch(inputs), bias, is_masked=rolls)
        tripled = FullyConnected(3 * width, bias=self.bias and self.qkv_bias)
        attend = (tripled, core, FullyConnected(channels, bias=self.bias))
        if self.side is None:
            return attend
        rolled = (Rearranged(tuple(entering)),) if rolls else ()
        return (*rolled, Rearranged((places, channels)), *attend, Rearranged(tuple(entering)), *rolled)
