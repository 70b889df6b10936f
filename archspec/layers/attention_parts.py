"""What torch runs for an attention, one operation after another: its memory is that of its parts.

In: shapes. Out: layers that no spec names. MHSA imports them when their memory is asked for.
"""

from __future__ import annotations

from math import prod
from typing import ClassVar

from archspec.graph.volume import FLOAT_BYTES, Volume
from archspec.layers.base import Layer, Tensor
from archspec.layers.demand import COPY_OR_VIEW, THREADS, Demand, Workload


class Rearranged(Layer):
    """Part of an attention: a map rolled, cut into windows, or put together again: a copy."""

    memory: ClassVar[Demand] = COPY_OR_VIEW

    shape: tuple[int, ...]

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return Volume(self.shape)


class AttentionCore(Layer):
    """Part of an attention: softmax(Q K^T) V, of queries, keys and values side by side."""

    shape: tuple[int, int]
    heads: int
    scores: int  # for one image
    bias: tuple[int, ...]  # the shape of what is learned and added to the scores: torch has no fused kernel for that
    is_masked: bool  # pixels that only the shift brought together do not see each other

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return Volume(self.shape)

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Tensor, ...]:
        return (Tensor("bias", self.bias),) if self.bias else ()

    def demand(self, at: Workload) -> Demand:
        """Fused: q, k, v and the result kept, and a number a query. Otherwise copies of q, k, v, and the softmax.

        While windows are cut and joined the original map is alive too: the layer's caller holds it.
        """
        if not self.bias:
            return self._fused(at)
        size, scores = at.made, FLOAT_BYTES * at.batch * self.scores
        forward = max(6 * size + scores, 4 * size + 2 * scores + scores // 4) + (scores if self.is_masked else 0)
        return Demand(keeps=3 * size + scores, forward_spike=forward, backward_spike=max(3 * size, size + scores))

    def _fused(self, at: Workload) -> Demand:
        """Each thread has buffers for a block of the scores, two of them backward (ATen's FlashAttentionKernel.cpp)."""
        vectors, channels = at.volume
        block, accumulated = blocks(vectors, vectors, channels // self.heads)
        keeps = FLOAT_BYTES * at.batch * vectors * self.heads
        forward = at.made + keeps + block + accumulated
        backward = 3 * at.made + 2 * block
        return Demand(keeps_inputs=True, keeps_output=True, keeps=keeps, forward_spike=forward, backward_spike=backward)


def blocks(queries: int, keys: int, size: int) -> tuple[int, int]:
    """Bytes of the buffers of all threads: a block of scores, and what is summed up for its queries."""
    rows = 256 if queries >= 768 else 64 if queries >= 192 else 32
    return FLOAT_BYTES * THREADS * rows * min(keys, 512), FLOAT_BYTES * THREADS * rows * (2 + size)


def cross_attention(at: Workload, keys: int, width: int, heads: int) -> Demand:
    """Of queries from one sequence, keys and values from others: q, k, v, the result of the fused kernel are kept."""
    queries = at.volume[0]
    asked, told = (FLOAT_BYTES * at.batch * vectors * width for vectors in (queries, keys))
    block, accumulated = blocks(queries, keys, width // heads)
    keeps = 2 * asked + 2 * told + FLOAT_BYTES * at.batch * queries * heads
    weights = FLOAT_BYTES * sum(map(prod, at.shapes))
    forward = keeps + max(block + accumulated, at.made)
    backward = max(2 * asked + 2 * told + 2 * block, asked + 2 * told + at.read) + weights
    return Demand(keeps_inputs=True, keeps=keeps, is_view=True, forward_spike=forward, backward_spike=backward)
