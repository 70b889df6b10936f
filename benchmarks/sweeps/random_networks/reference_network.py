"""A network in numpy and float64, layer by layer from the definitions in grammar/README.md and the papers.

In: a graph, weights by the spec's names, inputs. Out: the result of every node, and the multiply-accumulates of one
image. Independent of the compiler: neither its modules nor its emitters take part, and neither torch nor onnx.
"""

# ruff: noqa: ARG001, ARG005  # all functions of the table have the same arguments

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from archspec.graph.ir import Graph
from benchmarks.sweeps.random_networks.reference_activations import ACTIVATIONS, channel_axis
from benchmarks.sweeps.random_networks.reference_attention import attention
from benchmarks.sweeps.random_networks.reference_windows import (
    Array,
    Weights,
    average_pool,
    convolution,
    max_pool,
    transposed_convolution,
)


class Forward(NamedTuple):
    """The result of each node, by index; multiply-accumulates of weights, and of attention's own products."""

    values: list[Array]
    macs: int
    attention_macs: int


def forward(graph: Graph, weights: Mapping[str, Array], inputs: Sequence[Array]) -> Forward:
    """Run every node, the auxiliary classifiers too, which do not count."""
    values: list[Array] = []
    entering = iter(inputs)
    macs = attention_macs = 0
    for node in graph.nodes:
        if not node.inputs:
            values.append(next(entering))
            continue
        prefixes = [*([f"{node.weights.owner}."] if node.weights else []), f"{node.name}."]  # its own come last
        own = {
            name.removeprefix(prefix): one
            for prefix in prefixes
            for name, one in weights.items()
            if name.startswith(prefix)
        }
        read = [values[index] for index in node.inputs]
        result, count = _run(node.layer, own, read)
        values.append(result)
        if not node.head:
            macs += count
            attention_macs += _attention_macs(node.layer, own, read)
    return Forward(values, macs, attention_macs)


def _run(layer: Any, weights: Weights, inputs: list[Array]) -> tuple[Array, int]:
    x = inputs[0]
    if layer.keyword in ("CONV", "DWCONV"):
        return convolution(layer, weights, x, layer.groups if layer.keyword == "CONV" else x.shape[1])
    if layer.keyword == "UPCONV":
        return transposed_convolution(layer, weights, x)
    if layer.keyword == "FC":
        return _fully_connected(weights, x)
    if layer.keyword == "MHSA":
        return attention(layer, weights, *inputs), _matrix_macs(weights, inputs)
    if layer.keyword in MERGES:
        return MERGES[layer.keyword](inputs), 0
    return LAYERS[layer.keyword](layer, weights, x), 0


def _places(x: Array) -> int:
    return math.prod(x.shape[1:]) // x.shape[1 if x.ndim == 4 else 2]


def _matrix_macs(weights: Weights, inputs: list[Array]) -> int:
    """Each matrix of an attention is multiplied by all vectors of the sequence that enters it."""
    last = {"k.weight": 1, "v.weight": 2, "kv.weight": 1}
    matrices = {name: one for name, one in weights.items() if name.endswith(".weight")}
    return sum(one.size * _places(inputs[last.get(name, 0)]) for name, one in matrices.items())


def _attention_macs(layer: Any, weights: Weights, inputs: list[Array]) -> int:
    if layer.keyword != "MHSA":
        return 0
    side = layer.window or layer.grid
    seen: int = side**2 if side else inputs[-1].shape[1]
    return 2 * _places(inputs[0]) * weights["proj.weight"].shape[1] * seen


def _fully_connected(weights: Weights, x: Array) -> tuple[Array, int]:
    x = x.reshape(len(x), -1) if x.ndim == 4 else x
    y = x @ weights["weight"].T + weights.get("bias", 0.0)
    return y, math.prod(x.shape[1:-1]) * weights["weight"].size


def _wide(channels: Array, x: Array) -> Array:
    return channels[:, None, None] if x.ndim == 4 else channels


def _normalised(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    found: Array = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return found


def _affine(weights: Weights, x: Array) -> Array:
    return x * _wide(weights["weight"], x) + _wide(weights["bias"], x)


def _local_response(layer: Any, weights: Weights, x: Array) -> Array:
    """The window of an even n has one more channel before."""
    before, after = layer.n // 2, (layer.n - 1) // 2
    squares = np.pad(x**2, ((0, 0), (before, after), (0, 0), (0, 0)))
    total = sum(squares[:, k : k + x.shape[1]] for k in range(layer.n))
    found: Array = x / (layer.k + layer.alpha / layer.n * total) ** layer.beta
    return found


def _batch_norm(layer: Any, weights: Weights, x: Array) -> Array:
    mean, variance = (_wide(weights[f"running_{name}"], x) for name in ("mean", "var"))
    return _affine(weights, (x - mean) / np.sqrt(variance + layer.eps))


def _group_norm(layer: Any, weights: Weights, x: Array) -> Array:
    grouped = x.reshape(len(x), layer.groups, -1)
    return _affine(weights, _normalised(grouped, (2,), layer.eps).reshape(x.shape))


def _instance_norm(layer: Any, weights: Weights, x: Array) -> Array:
    y = _normalised(x, (2, 3), layer.eps)
    return _affine(weights, y) if layer.affine else y


def _response_norm(layer: Any, weights: Weights, x: Array) -> Array:
    norms = np.sqrt((x**2).sum((2, 3), keepdims=True))
    relative = norms / (norms.mean(1, keepdims=True) + layer.eps)
    return x + _affine(weights, x * relative)


def _pooled(layer: Any, x: Array) -> tuple[int, ...]:
    """The axes that a global pool reduces."""
    return (channel_axis(x),) if layer.channels else (2, 3) if x.ndim == 4 else (1,)


def _space_to_depth(layer: Any, weights: Weights, x: Array) -> Array:
    n = layer.block
    pixels = [(row, column) for row in range(n) for column in range(n)]
    order = pixels if layer.order == "rows" else [(row, column) for column, row in pixels]
    return np.concatenate([x[:, :, row::n, column::n] for row, column in order], axis=1)


def _shift(layer: Any, weights: Weights, x: Array) -> Array:
    quarter, padded = x.shape[1] // 4, np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    moves = ((0, 1), (2, 1), (1, 0), (1, 2))  # down, up, right, left: each reads the pixel on the other side
    parts = [
        padded[:, k * quarter : (k + 1) * quarter, row : row + x.shape[2], column : column + x.shape[3]]
        for k, (row, column) in enumerate(moves)
    ]
    return np.concatenate(parts, axis=1)


def _upsample(layer: Any, weights: Weights, x: Array) -> Array:
    for axis in (2, 3):
        size = x.shape[axis]
        at = (np.arange(size * layer.factor) + 0.5) / layer.factor - 0.5
        if layer.mode == "nearest":
            x = x.take(np.floor(at + 0.5 - 0.5 / layer.factor + 1e-9).astype(int), axis)
            continue
        at = np.clip(at, 0, size - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape([-1 if one == axis else 1 for one in range(4)])
        x = x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, size - 1), axis) * share
    return x


def _pad_channels(layer: Any, weights: Weights, x: Array) -> Array:
    more = layer.channels - x.shape[channel_axis(x)]
    ends = [(0, 0)] * x.ndim
    ends[channel_axis(x)] = (more // 2, more - more // 2)
    return np.pad(x, ends)


def _map(layer: Any, weights: Weights, x: Array) -> Array:
    return (
        x.reshape(len(x), *layer.size, -1).transpose(0, 3, 1, 2) if x.ndim == 3 else x.reshape(len(x), -1, *layer.size)
    )


def _shuffle(layer: Any, weights: Weights, x: Array) -> Array:
    order = np.arange(x.shape[1]).reshape(layer.groups, -1).T.ravel()
    return x[:, order]


def _product(inputs: list[Array]) -> Array:
    most = max(one.ndim for one in inputs)
    shaped = [one if one.ndim == most else one[:, None] if most == 3 else one[:, :, None, None] for one in inputs]
    return reduce(np.multiply, shaped)


MERGES: dict[str, Callable[[list[Array]], Array]] = {
    "add": lambda inputs: reduce(np.add, inputs),
    "concat": lambda inputs: np.concatenate(inputs, axis=channel_axis(inputs[0])),
    "mul": _product,
}
LAYERS: dict[str, Callable[[Any, Weights, Array], Array]] = {
    **ACTIVATIONS,
    "SHUFFLE": _shuffle,
    "SLICE": lambda layer, w, x: x.take(range(layer.begin, layer.end), channel_axis(x)),
    "PADCHANNELS": _pad_channels,
    "SPACE2DEPTH": _space_to_depth,
    "SHIFT": _shift,
    "PAD": lambda layer, w, x: np.pad(x, ((0, 0), (0, 0), *layer.pad)),
    "UPSAMPLE": _upsample,
    "DROPOUT": lambda layer, w, x: x,
    "DROPPATH": lambda layer, w, x: x,
    "NORM": _local_response,
    "BN": _batch_norm,
    "LN": lambda layer, w, x: _affine(w, _normalised(x, (channel_axis(x),), layer.eps)),
    "GN": _group_norm,
    "IN": _instance_norm,
    "POOL": lambda layer, w, x: max_pool(layer, x),
    "AVGPOOL": lambda layer, w, x: average_pool(layer, x),
    "GRN": _response_norm,
    "GAP": lambda layer, w, x: x.mean(_pooled(layer, x), keepdims=layer.channels),
    "GMP": lambda layer, w, x: x.max(_pooled(layer, x), keepdims=layer.channels),
    "AFFINE": lambda layer, w, x: _affine(w, x),
    "SCALE": lambda layer, w, x: x * (layer.value if layer.fixed else _wide(w["weight"], x)),
    "TOKENS": lambda layer, w, x: x.reshape(*x.shape[:2], -1).transpose(0, 2, 1),
    "EMBED": lambda layer, w, x: w["weight"][x],
    "MAP": _map,
    "CLS": lambda layer, w, x: np.concatenate([np.broadcast_to(w["weight"], (len(x), 1, x.shape[2])), x], axis=1),
    "POSEMBED": lambda layer, w, x: x + w["weight"],
    "TAKE": lambda layer, w, x: x[:, layer.place],
    "TRANSPOSE": lambda layer, w, x: x.transpose(0, 2, 1),
}
