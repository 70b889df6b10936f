"""Sequences of vectors: TOKENS, MAP, CLS, POSEMBED, TAKE, TRANSPOSE."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural
from archspec.graph.volume import Volume
from archspec.layers.arguments import DEVIATION, INDEX, PAIR, Pair, Respelling, argument
from archspec.layers.base import POINTWISE, Example, Layer, OnnxNode, Tensor, Window
from archspec.layers.demand import ADD, CONCAT, COPY, SAME, VIEW, WINDOW, Demand, Workload
from archspec.layers.needs import largest_divisor, need_map, need_sequence

TOKEN_STD = 0.02  # of class tokens, positions and the offsets of windows: BERT's, then ViT's and Swin's
INIT_DOC = f"the standard deviation of the first values, which are normal; 0 for zeros, {TOKEN_STD:g} by default"


class Tokens(Layer):
    """A map as a sequence: its pixels row by row, [HxWxC] to [H*W x C] (ViT, Dosovitskiy et al. 2020)."""

    keyword = "TOKENS"
    is_linear = True
    in_place = True
    is_view = True
    memory = VIEW
    examples = (Example("TOKENS", ((4, 5, 3),)),)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        flat = (Respelling("drop it: there is one vector", ""),) if len(inputs[0]) == 1 else ()
        height, width, channels = need_map(inputs[0], self.keyword, flat)
        return Volume((height * width, channels))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        # in this order, or the gradient of one image has strides with which torch's BN computes a wrong one
        # (torch 2.13; tests/lowering/test_gradients_of_one_image.py)
        return f"{names[0]}.permute(0, 2, 3, 1).flatten(1, 2)"


class FoldedMap(Layer):
    """A map of a sequence, row by row as TOKENS reads it, or of a vector, channel by channel as FC flattens a map."""

    keyword = "MAP"
    known_as = ("unflatten",)
    keeps_channels = False
    is_linear = True
    in_place = True
    is_view = True
    leaves_channels_last = True  # of a sequence
    examples = (Example("MAP 4x5", ((20, 3),)), Example("MAP 2x3", ((12,),)))

    size: Pair = argument(PAIR, "height x width of the map", positional=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume, (height, width) = inputs[0], self.size
        if volume.is_map:
            helps = (Respelling("drop it: it is a map already", ""),)
            raise Finding("E204", f"MAP needs a sequence or a vector, got the map {volume}", helps=helps)
        places = volume[0]
        if len(volume) == 2 and places != height * width:
            message = f"MAP {height}x{width} needs {height * width} vectors, got the sequence {volume}"
            high = largest_divisor(places, isqrt(places))
            sized = Respelling(f"`{{}}` has {plural(places, 'pixel')}", size=(high, places // high))
            raise Finding("E205", message, helps=(sized,))
        if places % (height * width):
            message = f"MAP {height}x{width} needs a multiple of {height * width} values, got the vector {volume}"
            raise Finding("E203", message, notes=(f"{places} % {height * width} = {places % (height * width)}",))
        return Volume((height, width, volume.channels if len(volume) == 2 else places // (height * width)))

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window(is_global=True) if len(inputs[0]) == 1 else POINTWISE

    def demand(self, at: Workload) -> Demand:
        return VIEW if len(at.inputs[0]) == 2 else Demand(output=SAME, gradient=SAME, is_view=True)

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        if (
            len(inputs[0]) == 2
        ):  # `transpose(1, 2).unflatten(2, ...)` of one image has strides that mislead BN's gradient
            return f"{names[0]}.unflatten(1, {self.size}).movedim(3, 1)"
        return f"{names[0]}.unflatten(1, (-1, {self.size[0]}, {self.size[1]}))"


class ClassToken(Layer):
    """A learned vector before a sequence, from which the classifier reads (ViT, after BERT)."""

    keyword = "CLS"
    known_as = ("classtoken",)
    is_linear = True
    is_embedding = True
    memory = CONCAT
    examples = (Example("CLS", ((6, 4),)), Example("CLS init=0", ((3, 2),)))

    init: float | None = argument(DEVIATION, INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        vectors, channels = need_sequence(inputs[0], self.keyword)
        return Volume((vectors + 1, channels))

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (inputs[0].channels,)),)


class PositionEmbedding(Layer):
    """A learned vector for each position of a sequence or a map, added to the input (ViT)."""

    keyword = "POSEMBED"
    known_as = ("positionembedding",)
    is_linear = True
    is_embedding = True
    memory = ADD
    examples = (Example("POSEMBED", ((6, 4),)), Example("POSEMBED", ((5, 3, 4),)))

    init: float | None = argument(DEVIATION, INIT_DOC, default=None)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        volume = inputs[0]
        if len(volume) == 1:
            helps = ("put it after a sequence or a map",)
            raise Finding("E204", f"the vector {volume} has no positions for POSEMBED", helps=helps)
        return volume

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        volume = inputs[0]
        shape = (volume.channels, *volume.spatial) if volume.is_map else tuple(volume)
        return (Tensor("weight", shape, "*".join(map(str, volume))),)

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Add", weights=("weight",))


class Take(Layer):
    """One vector of a sequence, counted from 0: `TAKE 0` is the one that CLS added."""

    keyword = "TAKE"
    is_linear = True
    in_place = True
    is_view = True
    leaves_window = True
    memory = WINDOW
    examples = (Example("TAKE 0", ((6, 4),)), Example("TAKE 5", ((6, 4),)))

    place: int = argument(INDEX, "which vector, from 0", positional=True)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        vectors, channels = need_sequence(inputs[0], self.keyword)
        if self.place >= vectors:
            helps = (Respelling("`{}` takes the last: counting starts at 0", place=vectors - 1),)
            raise Finding("E205", f"TAKE {self.place} of a sequence of {vectors} vectors", helps=helps)
        return Volume((channels,))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return f"{names[0]}[:, {self.place}]"

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Gather", {"axis": 1}, constants={"place": self.place})


class Transpose(Layer):
    """Swaps the two axes of a sequence, so that a FC works across its positions (MLP-Mixer, 2021)."""

    keyword = "TRANSPOSE"
    keeps_channels = False
    is_linear = True
    in_place = True
    is_view = True
    memory = COPY
    examples = (Example("TRANSPOSE", ((6, 4),)),)

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        vectors, channels = need_sequence(inputs[0], self.keyword)
        return Volume((channels, vectors))

    def sees(self, inputs: tuple[Volume, ...]) -> Window:
        return Window(is_global=True)

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return f"{names[0]}.transpose(1, 2)"

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Transpose", {"perm": [0, 2, 1]})
