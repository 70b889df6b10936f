"""Inputs that are token ids: whole numbers from 0, which only EMBED reads.

In: a graph and one of its inputs. Out: whether it is one, and how many ids there are.
"""

from __future__ import annotations

from archspec.graph.ir import Graph, Node
from archspec.layers.input import Input


def is_tokens(source: Node) -> bool:
    """Whether an input is token ids, int64, rather than numbers, float32."""
    return isinstance(source.layer, Input) and source.layer.tokens


def id_count(graph: Graph, source: Node) -> int:
    """Return how many token ids each reader of an input knows: the fewest vectors of an EMBED."""
    readers = [graph.nodes[index] for index in graph.consumers[source.index]]
    return min(reader.layer.tensors(graph.inputs(reader))[0].shape[0] for reader in readers)
