"""MHSA in numpy from its definition: softmax(Q K^T / sqrt(d)) V among the vectors that see each other.

In: a layer, its weights, a sequence [B, N, C] or a map [B, C, H, W]. Out: the same shape. Two pixels of a map see each
other if they are in one window: windows begin `shift` pixels later, and what that cuts off at the edges are windows too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sweeps.random_networks.reference_windows import Array, Weights


def attention(layer: Any, weights: Weights, x: Array, *given: Array) -> Array:
    """Attention over a sequence, to others, or within the windows or grids of a map."""
    if x.ndim == 3:
        told = given[0] if given else x
        later = np.arange(told.shape[1]) > np.arange(x.shape[1])[:, None]
        added = np.where(later & layer.causal, -np.inf, 0.0)[None]
        return _attend(layer, weights, x, added, given)
    batch, channels, high, wide = x.shape
    rows, columns = (axis.ravel() for axis in np.indices((high, wide)))
    own = [_tile(place, size, layer) for place, size in ((rows, high), (columns, wide))]
    together = np.logical_and.reduce([one[:, None] == one for one in own])
    added = np.where(together, 0.0, -np.inf)[None]
    if layer.relpos:
        side = layer.window or layer.grid
        steps = [size // side if layer.grid else 1 for size in (high, wide)]
        most = side - 1
        down, across = (
            np.clip((place[:, None] - place) // step, -most, most) + most
            for place, step in zip((rows, columns), steps, strict=True)
        )
        added = added + weights["relative_position_bias_table"][down * (2 * most + 1) + across].transpose(2, 0, 1)
    pixels = x.reshape(batch, channels, high * wide).transpose(0, 2, 1)
    return _attend(layer, weights, pixels, added, ()).transpose(0, 2, 1).reshape(x.shape)


def _tile(place: Any, size: int, layer: Any) -> Any:
    """The number of the window or the grid that each place is in; one window that covers the axis is not shifted."""
    if layer.grid:
        return place % (size // layer.grid)
    shift = 0 if layer.window >= size else layer.shift
    return (place - shift) // layer.window


def _mixed(weights: Weights, matrix: str, x: Array) -> Array:
    found: Array = x @ weights[f"{matrix}.weight"].T + weights.get(f"{matrix}.bias", 0.0)
    return found


def _attend(layer: Any, weights: Weights, x: Array, added: Array, given: tuple[Array, ...]) -> Array:
    if not given:
        parts = np.split(_mixed(weights, "qkv", x), 3, axis=-1)
    elif len(given) == 1:
        parts = [_mixed(weights, "q", x), *np.split(_mixed(weights, "kv", given[0]), 2, axis=-1)]
    else:
        parts = [_mixed(weights, matrix, one) for matrix, one in zip("qkv", (x, *given), strict=True)]
    size = parts[0].shape[-1] // layer.heads
    query, key, value = (part.reshape(*part.shape[:2], layer.heads, size).transpose(0, 2, 1, 3) for part in parts)
    scores = query @ key.swapaxes(2, 3) / np.sqrt(size) + added
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    heads = shares / shares.sum(axis=-1, keepdims=True) @ value
    return _mixed(weights, "proj", heads.transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1))
