"""Sequences of vectors: TOKENS, MAP, CLS, EMBED."""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.layers.input import Embedding
from archspec.layers.sequence import ClassToken, FoldedMap, Tokens


@emits(Embedding)
def embedding(writer: NodeWriter) -> str:
    """A row of the weights for each id."""
    return writer.op("Gather", writer.weight("weight"), writer.x, axis=0)


@emits(Tokens)
def tokens(writer: NodeWriter) -> str:
    """[B, C, H, W] to [B, H*W, C]."""
    height, width, channels = writer.volume
    return writer.transpose(writer.reshape(writer.x, 0, channels, height * width), 0, 2, 1)


@emits(FoldedMap)
def folded_map(writer: NodeWriter) -> str:
    """[B, H*W, C] or [B, C*H*W] to [B, C, H, W]."""
    x = writer.transpose(writer.x, 0, 2, 1) if len(writer.volume) == 2 else writer.x
    return writer.reshape(x, 0, *writer.node.volume.laid_out)


@emits(ClassToken)
def class_token(writer: NodeWriter) -> str:
    """Prepend zeros to the sequence and add the learned vector to them.

    Repeating the vector along the batch would take arithmetic on shapes, which onnxruntime leaves to the CPU.
    """
    vectors, channels = writer.volume
    padded = writer.op("Pad", writer.x, writer.integers("pads", 0, 1, 0, 0, 0, 0))
    if writer.is_shared("weight"):  # by sequences of other lengths, perhaps
        row = writer.op("Unsqueeze", writer.weight("weight"), writer.integers("axis", 0))
        return writer.op("Add", padded, writer.op("Pad", row, writer.integers("rows", 0, 0, vectors, 0)))
    weight = np.zeros((vectors + 1, channels), dtype=np.float32)
    weight[0] = writer.array("weight")
    return writer.op("Add", padded, writer.stored("weight", weight))
