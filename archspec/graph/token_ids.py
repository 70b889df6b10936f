"""Inputs that are token ids: whole numbers from 0, which only EMBED reads.

In: a graph and one of its inputs. Out: whether it is one, and how many ids there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.graph.ir import Graph, Node
from archspec.layers.arguments import Respelling
from archspec.layers.base import Layer
from archspec.layers.input import Input


def is_tokens(source: Node) -> bool:
    """Whether an input is token ids, int64, rather than numbers, float32."""
    return isinstance(source.layer, Input) and source.layer.tokens


def id_count(graph: Graph, source: Node) -> int:
    """Return how many token ids each reader of an input knows: the fewest vectors of an EMBED."""
    readers = [graph.nodes[index] for index in graph.consumers[source.index]]
    return min(reader.layer.tensors(graph.inputs(reader))[0].shape[0] for reader in readers)


def need_tokens(layer: Layer, sources: Sequence[Node]) -> None:
    """Raise Finding unless EMBED, and no other layer, reads token ids."""
    ids = [node for node in sources if is_tokens(node)]
    if not layer.reads_tokens:
        if not ids:
            return
        embedded = Respelling("`{}` gives each of 1000 ids a vector", "EMBED 1000 64 -> {}")
        message = f"{layer.keyword} cannot read token ids: `{ids[0].name}` is an `INPUT tokens`"
        raise Finding("E204", message, helps=(embedded,))
    (source,) = sources
    if ids:
        if len(source.volume) != 1:
            notes = ("`[128] INPUT tokens` is 128 of them",)
            raise Finding(
                "E204", f"{layer.keyword} needs a sequence of token ids, [N], got {source.volume}", notes=notes
            )
        return
    helps: tuple[Help, ...] = ()
    if not source.inputs and len(source.volume) == 1:
        end = Span(source.span.source, source.span.end, source.span.end)
        helps = (Help("`INPUT tokens` is a sequence of token ids", Edit(end, " tokens")),)
    kind = "numbers" if not source.inputs else f"the result of `{source.name}`"
    message = f"{layer.keyword} needs token ids, `INPUT tokens`, got {kind}"
    raise Finding("E204", message, helps=helps)
