"""Which function emits which layer.

In: a layer's class. Out: its emitter, a function that writes nodes with a `NodeWriter` and returns the name of the
value that is the layer's result.
"""

from __future__ import annotations

from collections.abc import Callable

from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.base import Layer

Emitter = Callable[[NodeWriter], str]
EMITTERS: dict[type[Layer], Emitter] = {}


def emits(*layers: type[Layer]) -> Callable[[Emitter], Emitter]:
    """Register the emitter of these layers. Raises ValueError for a layer that already has one."""

    def register(emitter: Emitter) -> Emitter:
        for layer in layers:
            if layer in EMITTERS:
                raise ValueError(f"two emitters for {layer.keyword}: {EMITTERS[layer].__name__}, {emitter.__name__}")
            EMITTERS[layer] = emitter
        return emitter

    return register


def emit_layer(writer: NodeWriter) -> str:
    """Write a layer's nodes and return the name of its result; an identity is its input.

    Raises NotImplementedError for a layer that neither is a single ONNX node nor has an emitter.
    """
    layer = writer.layer
    if layer.is_identity:
        return writer.x
    if layer.is_onnx_node:
        return writer.only(layer.onnx(writer.volumes))
    if type(layer) not in EMITTERS:
        raise NotImplementedError(f"{layer.keyword} has no ONNX node and no emitter")
    return EMITTERS[type(layer)](writer)
