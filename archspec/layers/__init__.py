"""One class per layer with all its facts; importing this package registers them all.

In: arguments and input volumes. Out: output volumes, parameters, costs, and torch's and ONNX's names for the layer, as
data. `base.py` says what a layer is. No graph is read here, and neither torch nor onnx is imported.
"""

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
