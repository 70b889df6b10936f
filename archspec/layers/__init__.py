"""One class a layer. Importing this package registers them all; `base.py` says what a layer is."""

from archspec.layers import (
    activation,
    attention,
    channels,
    conv,
    dropout,
    input,
    linear,
    merge,
    norm,
    pixels,
    pool,
    scale,
    sequence,
    upconv,
)
from archspec.layers.base import MERGES, REGISTRY, Layer

__all__ = [
    "MERGES",
    "REGISTRY",
    "Layer",
    "activation",
    "attention",
    "channels",
    "conv",
    "dropout",
    "input",
    "linear",
    "merge",
    "norm",
    "pixels",
    "pool",
    "scale",
    "sequence",
    "upconv",
]
