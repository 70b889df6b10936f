"""A network as other languages list it: layers in order, with sizes; written as a spec.

In: the layers, and the input if it is given. Out: the lines of a spec, in which every window fits as those languages
round it. An input that is not given is one of the usual sizes, for which the weights of the first FC fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.record import Record, replace

Pair = tuple[int, int]
LENGTHS = (8000, 16000, 1024, 1000, 512, 256, 128, 100, 784, 2048, 4096, 32000)  # of sequences
USUAL = (224, 227, 32, 28, 64, 96, 128, 256, 299, 48, 100, 150, 160, 192, 320, 416, 448, 512)


class ListedLayer(Record):
    """One layer: `CONV`, its count, its window, and other arguments as the notation writes them."""

    name: str
    count: int | None = None
    kernel: Pair | None = None
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)
    is_same: bool = False  # padded so that the output has 1/stride of the size
    rounds_up: bool = False
    others: tuple[str, ...] = ()
    then: tuple[str, ...] = ()  # activations that are arguments of the layer
    features: int | None = None  # what an FC receives
    channels: int | None = None  # what a CONV receives
    bias: bool | None = None
    is_row: bool = False  # of one dimension, written as on a map of height 1

    @property
    def text(self) -> str:
        """The layer in the notation, whatever it receives."""
        words = [self.name]
        words += [str(self.count)] if self.count is not None else []
        words += [f"{self.kernel[0]}x{self.kernel[1]}"] if self.kernel else []
        is_pool = self.name.endswith("POOL")
        words += [f"s{_pair(self.stride)}"] if self.kernel and (is_pool or self.stride != (1, 1)) else []
        words += ["same"] if self.is_same and self.stride == (1, 1) else []
        if self.is_same and self.kernel and self.stride != (1, 1):  # as on a map of even size
            total = max(self.kernel[0] - self.stride[0], 0)
            words += [f"p{total // 2}:{total - total // 2}"] if total else []
        words += [f"p{_pair(self.pad)}"] if self.pad != (0, 0) else []
        return " -> ".join([" ".join([*words, *self.others]), *self.then])


def _pair(sizes: Pair) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}x{sizes[1]}"


def spec(layers: Sequence[ListedLayer], given: tuple[int, ...] | None) -> str | None:
    """Return the text of a spec; None if the layers do not fit any usual input."""
    channels = next((layer.channels for layer in layers if layer.channels), None)
    first = next((layer for layer in layers if layer.name in ("CONV", "DWCONV", "FC")), None)
    is_row = any(layer.is_row for layer in layers)
    if given is None and first is not None and first.name == "FC" and first.features:
        inputs: Iterator[tuple[int, ...]] = iter([(first.features,)])
    elif given is not None:
        inputs = iter([(1, *given) if is_row and len(given) == 2 else given])
    elif is_row:
        inputs = iter([(1, length, channels or 1) for length in LENGTHS])
    else:
        inputs = iter([(size, size, channels or 3) for size in USUAL])
    for volume in inputs:
        lines = list(_lines(layers, volume))
        if None not in lines:
            head = "x".join(map(str, volume))
            return "\n".join([f"[{head}] INPUT", *(line for line in lines if line)]) + "\n"
    return None


def _lines(layers: Sequence[ListedLayer], volume: tuple[int, ...]) -> Iterator[str | None]:
    """Yield the lines; None for a layer that does not fit."""
    for place, given in enumerate(layers):
        layer = given
        following = layers[place + 1].name if place + 1 < len(layers) else ""
        replaced = layer.name in ("CONV", "FC", "UPCONV", "DWCONV")
        if replaced and layer.bias is not None and layer.bias == (following == "BN"):
            layer = replace(layer, others=(*layer.others, "bias" if layer.bias else "nobias"))
        if layer.name == "RESIZE":  # to a size that it already has
            yield "" if volume[:2] == layer.kernel else None
            continue
        fitted = _fitted(layer, volume)
        if fitted is None or (layer.features and layer.features != _values(volume)):
            yield None
            return
        written, volume = fitted
        yield written


def _values(volume: tuple[int, ...]) -> int:
    values = 1
    for size in volume:
        values *= size
    return values


def _fitted(layer: ListedLayer, volume: tuple[int, ...]) -> tuple[str, tuple[int, ...]] | None:
    """Return a layer as it is written for a volume, and the volume that it produces."""
    if layer.name == "FC":
        return layer.text, (layer.count or 0,)
    if layer.name == "GAP":
        return layer.text, (volume[-1],)
    if layer.name == "UPSAMPLE":
        factor = layer.count or 1
        return layer.text, (volume[0] * factor, volume[1] * factor, volume[-1])
    if layer.kernel is None:
        return layer.text, volume
    if len(volume) != 3:
        return None
    if layer.name == "UPCONV":
        sizes = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(volume, layer.stride, layer.pad, layer.kernel)]  # noqa: B905  # channels last
        return layer.text, (*sizes, layer.count or 0)
    sizes, words = [], []
    for size, kernel, stride, pad in zip(volume, layer.kernel, layer.stride, layer.pad):  # noqa: B905  # channels last
        if layer.is_same and stride > 1:
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            words.append(f"{total // 2}:{total - total // 2}")
            sizes.append(-(-size // stride))
            continue
        around = kernel - 1 if layer.is_same else 2 * pad
        if size + around < kernel:
            return None
        left = (size + around - kernel) % stride
        up = layer.rounds_up and left > 0
        sizes.append((size + around - kernel) // stride + 1 + up)
        words += [("ceil" if up else "floor")] if left > pad or up else []
    text = replace(layer, is_same=layer.is_same and layer.stride == (1, 1)).text
    if layer.is_same and layer.stride != (1, 1):
        pads = words[0] if words[0] == words[1] else "x".join(words)
        head, *then = text.split(" -> ")
        text = " -> ".join([head if pads == "0:0" else f"{head} p{pads}", *then])
    elif words:
        head, *then = text.split(" -> ")
        text = " -> ".join([f"{head} {words[0]}", *then])
    channels = volume[2] if layer.count is None else layer.count
    return text, (*sizes, channels)
