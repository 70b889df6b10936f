"""One class a layer. Importing this package registers them all; `base.py` says what a layer is."""

from archspec.layers import activation, conv, dropout, input, linear, merge, norm, pool
from archspec.layers.base import MERGES, REGISTRY, Layer

__all__ = ["MERGES", "REGISTRY", "Layer", "activation", "conv", "dropout", "input", "linear", "merge", "norm", "pool"]
