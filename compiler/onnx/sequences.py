"""Sequences of vectors: TOKENS, CLS, POSEMBED, TAKE, TRANSPOSE."""

from __future__ import annotations

import numpy as np

from archspec.compiler.onnx.registry import emits
from archspec.compiler.onnx.step import Step
from archspec.layers.sequence import ClassToken, PositionEmbedding, Take, Tokens, Transpose


@emits(Tokens)
def tokens(step: Step) -> str:
    """[B, C, H, W] to [B, H*W, C]."""
    height, width, channels = step.volume
    return step.transpose(step.reshape(step.x, 0, channels, height * width), 0, 2, 1)


@emits(ClassToken)
def class_token(step: Step) -> str:
    """The learned vector, once for each image of the batch, in front of the sequence."""
    channels = step.volume.channels
    batch = step.op("Shape", step.x, start=0, end=1)
    shape = step.op("Concat", batch, step.integers("one_vector", 1, channels), axis=0)
    token = step.op("Expand", step.stored("weight", step.array("weight")[None, None]), shape)
    return step.op("Concat", token, step.x, axis=1)


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
