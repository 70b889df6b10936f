"""Layers that are an expression of tensors: Python text for the generated forward pass.

In: a layer, the names of its inputs, the volumes. Out: an expression. Names are those of generated variables, and
numbers come from the layer's own fields, so nothing of a spec's text gets in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archspec.graph.volume import Volume
from archspec.layers.activation import Relu
from archspec.layers.base import Layer
from archspec.layers.channels import PadChannels, Slice
from archspec.layers.linear import FullyConnected
from archspec.layers.merge import Add, Concat, Mul
from archspec.layers.pixels import SpaceToDepth
from archspec.layers.pool import GlobalAvgPool
from archspec.layers.sequence import Take, Tokens, Transpose

Names = Sequence[str]
Volumes = Sequence[Volume]


def _relu(layer: Any, names: Names, volumes: Volumes) -> str:
    return f"torch.relu({names[0]})"


def _add(layer: Any, names: Names, volumes: Volumes) -> str:
    return " + ".join(names)


def _concat(layer: Any, names: Names, volumes: Volumes) -> str:
    return f"torch.cat(({', '.join(names)}), {2 if len(volumes[0]) == 2 else 1})"


def _mul(layer: Any, names: Names, volumes: Volumes) -> str:
    widest = max(map(len, volumes))
    broad = {3: "[:, :, None, None]", 2: "[:, None]", 1: ""}[widest]
    pairs = zip(names, volumes, strict=True)
    return " * ".join(name if len(volume) == widest else name + broad for name, volume in pairs)


def _global_average(layer: Any, names: Names, volumes: Volumes) -> str:
    return f"{names[0]}.mean({'(2, 3)' if volumes[0].is_map else '1'})"


def _slice(layer: Slice, names: Names, volumes: Volumes) -> str:
    dimension = 2 if len(volumes[0]) == 2 else 1
    return f"{names[0]}.narrow({dimension}, {layer.begin}, {layer.end - layer.begin})"


def _pad_channels(layer: PadChannels, names: Names, volumes: Volumes) -> str:
    more = layer.channels - volumes[0].channels
    ends = (*((0, 0, 0, 0) if volumes[0].is_map else ()), more // 2, more - more // 2)
    return f"functional.pad({names[0]}, {ends})"


def _space_to_depth(layer: SpaceToDepth, names: Names, volumes: Volumes) -> str:
    """Rows and columns of a block go before the channels: a view, a permutation, a copy."""
    n, (height, width, channels) = layer.block, volumes[0]
    order = (0, 3, 5, 1, 2, 4) if layer.order == "rows" else (0, 5, 3, 1, 2, 4)
    shape = f"({channels}, {height // n}, {n}, {width // n}, {n})"
    return f"{names[0]}.flatten(1).unflatten(1, {shape}).permute{order}.flatten(1, 3)"


EXPRESSIONS: dict[type[Layer], Callable[[Any, Names, Volumes], str]] = {
    Relu: _relu,
    Add: _add,
    Concat: _concat,
    Mul: _mul,
    GlobalAvgPool: _global_average,
    Slice: _slice,
    PadChannels: _pad_channels,
    SpaceToDepth: _space_to_depth,
    Tokens: lambda layer, names, volumes: f"{names[0]}.flatten(2).transpose(1, 2)",
    Take: lambda layer, names, volumes: f"{names[0]}[:, {layer.place}]",
    Transpose: lambda layer, names, volumes: f"{names[0]}.transpose(1, 2)",
}
# the same, written into the first input
IN_PLACE: dict[type[Layer], Callable[[Any, Names, Volumes], str]] = {
    Relu: lambda layer, names, volumes: f"torch.relu_({names[0]})",
    Add: lambda layer, names, volumes: names[0] + "".join(f".add_({name})" for name in names[1:]),
}


def entering(layer: Layer, name: str, volume: Volume) -> str:
    """What a layer's module is given: FC on a map sees it flat, channel by channel."""
    return f"{name}.flatten(1)" if isinstance(layer, FullyConnected) and volume.is_map else name
