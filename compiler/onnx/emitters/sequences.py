"""Sequences of vectors: TOKENS, CLS, POSEMBED, TAKE, TRANSPOSE."""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.emitters.registry import emits
from archspec.compiler.onnx.step import Step
from archspec.layers.sequence import ClassToken, PositionEmbedding, Take, Tokens, Transpose


@emits(Tokens)
def tokens(step: Step) -> str:
    """[B, C, H, W] to [B, H*W, C]."""
    height, width, channels = step.volume
    return step.transpose(step.reshape(step.x, 0, channels, height * width), 0, 2, 1)


@emits(ClassToken)
def class_token(step: Step) -> str:
    """A vector of zeros in front of the sequence, to which the learned one is added.

    Repeating it along the batch would take arithmetic on shapes, which onnxruntime leaves to the CPU.
    """
    vectors, channels = step.volume
    weight = np.zeros((vectors + 1, channels), dtype=np.float32)
    weight[0] = step.array("weight")
    padded = step.op("Pad", step.x, step.integers("pads", 0, 1, 0, 0, 0, 0))
    return step.op("Add", padded, step.stored("weight", weight))


@emits(PositionEmbedding)
def position_embedding(step: Step) -> str:
    """One learned volume, added to each image's."""
    return step.op("Add", step.x, step.weight("weight"))


@emits(Take)
def take(step: Step) -> str:
    """One vector."""
    return step.op("Gather", step.x, step.constant("place", np.array(step.layer.place, dtype=np.int64)), axis=1)


@emits(Transpose)
def transpose(step: Step) -> str:
    """The two sides change places."""
    return step.transpose(step.x, 0, 2, 1)
