"""Random inputs of a network, for a proof or a probe.

In: a graph, a batch, a generator. Out: a tensor for each input, in the order of the module's arguments: normal numbers,
or token ids below the number of vectors of each EMBED that reads them.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from archspec.graph.ir import Graph, Node
from archspec.graph.token_ids import id_count, is_tokens


def random_inputs(graph: Graph, batch: int, generator: Generator | None = None) -> tuple[Tensor, ...]:
    """Return inputs [B, ...] of each source: float32, or int64 of token ids."""
    return tuple(_drawn(graph, source, (batch, *source.volume.laid_out), generator) for source in graph.sources)


def _drawn(graph: Graph, source: Node, shape: tuple[int, ...], generator: Generator | None) -> Tensor:
    if is_tokens(source):
        return torch.randint(id_count(graph, source), shape, generator=generator)
    return torch.randn(shape, generator=generator)
