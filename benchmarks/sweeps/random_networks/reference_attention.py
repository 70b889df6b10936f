"""MHSA in numpy from its definition: softmax(Q K^T / sqrt(d)) V among the vectors that see each other.

In: a layer, its weights, a sequence [B, N, C] or a map [B, C, H, W]. Out: the same shape. Two pixels of a map see each
other if they are in one window: windows begin `shift` pixels later, and what that cuts off at the edges are windows too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sweeps.random_networks.reference_windows import Array, Weights


def attention(layer: Any, weights: Weights, x: Array) -> Array:
    """Attention over a sequence, or within the windows of a map."""
    if x.ndim == 3:
        return _attend(layer.heads, weights, x, np.zeros((1, x.shape[1], x.shape[1])))
    batch, channels, high, wide = x.shape
    rows, columns = (axis.ravel() for axis in np.indices((high, wide)))
    own = [_window(place, size, layer) for place, size in ((rows, high), (columns, wide))]
    together = np.logical_and.reduce([one[:, None] == one for one in own])
    added = np.where(together, 0.0, -np.inf)[None]
    if layer.relpos:
        most = layer.window - 1
        down, across = (np.clip(place[:, None] - place, -most, most) + most for place in (rows, columns))
        added = added + weights["relative_position_bias_table"][down * (2 * most + 1) + across].transpose(2, 0, 1)
    pixels = x.reshape(batch, channels, high * wide).transpose(0, 2, 1)
    return _attend(layer.heads, weights, pixels, added).transpose(0, 2, 1).reshape(x.shape)


def _window(place: Any, size: int, layer: Any) -> Any:
    """The number of the window that each place is in; there is no shift if one window covers the axis."""
    shift = 0 if layer.window >= size else layer.shift
    return (place - shift) // layer.window


def _attend(heads: int, weights: Weights, x: Array, added: Array) -> Array:
    batch, places, channels = x.shape
    tripled = x @ weights["qkv.weight"].T + weights["qkv.bias"]
    parts = tripled.reshape(batch, places, 3, heads, channels // heads)
    query, key, value = (parts[:, :, which].transpose(0, 2, 1, 3) for which in range(3))
    scores = query @ key.swapaxes(2, 3) / np.sqrt(channels // heads) + added
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = shares / shares.sum(axis=-1, keepdims=True) @ value
    joined = mixed.transpose(0, 2, 1, 3).reshape(batch, places, channels)
    found: Array = joined @ weights["proj.weight"].T + weights["proj.bias"]
    return found
