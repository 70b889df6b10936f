"""All emitters: importing this registers one for each layer (tests/test_onnx_layers.py sees that none is missing)."""

from archspec.compiler.onnx.emitters import activations, attention, channels, linear, norms, pixels, sequences, windows
from archspec.compiler.onnx.emitters.registry import EMITTERS

__all__ = [
    "EMITTERS",
    "activations",
    "attention",
    "channels",
    "linear",
    "norms",
    "pixels",
    "sequences",
    "windows",
]
