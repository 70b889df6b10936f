"""Which function emits which layer.

In: a layer's class. Out: its emitter, a function that writes operations on a `Step` and returns the name of the value
that is the layer's result. A layer that vanishes returns its input.
"""

from __future__ import annotations

from collections.abc import Callable

from archspec.compiler.onnx.step import Step
from archspec.layers.base import Layer

Emitter = Callable[[Step], str]
EMITTERS: dict[type[Layer], Emitter] = {}


def emits(*layers: type[Layer]) -> Callable[[Emitter], Emitter]:
    """Register the emitter of these layers. Raises ValueError for a layer that has one."""

    def register(emitter: Emitter) -> Emitter:
        for layer in layers:
            if layer in EMITTERS:
                raise ValueError(f"two emitters for {layer.keyword}: {EMITTERS[layer].__name__}, {emitter.__name__}")
            EMITTERS[layer] = emitter
        return emitter

    return register
