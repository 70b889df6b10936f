"""Activations in numpy and float64, from their definitions.

In: a layer, its weights, its input. Out: its result, of the same shape.
"""

# ruff: noqa: ARG001, ARG005  # all functions of the table have the same arguments

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.sweeps.random_networks.reference_windows import Array, Weights


def channel_axis(x: Array) -> int:
    """The axis of the channels."""
    return 1 if x.ndim == 4 else x.ndim - 1


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    found: Array = 1 / (1 + np.exp(-x))
    return found


def _hard_sigmoid(x: Array) -> Array:
    return np.clip(x + 3, 0, 6) / 6


def _gelu(layer: Any, weights: Weights, x: Array) -> Array:
    if layer.approximate == "tanh":
        share: Array = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    else:
        share = np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))
    return 0.5 * x * (1 + share)


def _softmax(layer: Any, weights: Weights, x: Array) -> Array:
    axis = channel_axis(x)
    shares = np.exp(x - x.max(axis=axis, keepdims=True))
    found: Array = shares / shares.sum(axis=axis, keepdims=True)
    return found


def _slopes(layer: Any, weights: Weights, x: Array) -> Array:
    slopes = weights["weight"].reshape([-1 if axis == channel_axis(x) else 1 for axis in range(x.ndim)])
    return np.where(x > 0, x, slopes * x)


ACTIVATIONS: dict[str, Callable[[Any, Weights, Array], Array]] = {
    "RELU": lambda layer, w, x: np.maximum(x, 0),
    "RELU6": lambda layer, w, x: np.clip(x, 0, 6),
    "LEAKYRELU": lambda layer, w, x: np.where(x > 0, x, layer.slope * x),
    "PRELU": _slopes,
    "ELU": lambda layer, w, x: np.where(x > 0, x, layer.alpha * np.expm1(np.minimum(x, 0))),
    "GELU": _gelu,
    "SILU": lambda layer, w, x: x * sigmoid(x),
    "MISH": lambda layer, w, x: x * np.tanh(np.log1p(np.exp(x))),
    "HSWISH": lambda layer, w, x: x * _hard_sigmoid(x),
    "HSIGMOID": lambda layer, w, x: _hard_sigmoid(x),
    "TANH": lambda layer, w, x: np.tanh(x),
    "HARDTANH": lambda layer, w, x: np.clip(x, layer.low, layer.high),
    "SIGMOID": lambda layer, w, x: sigmoid(x),
    "SOFTMAX": _softmax,
}
