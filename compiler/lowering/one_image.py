"""Commands that work on single images.

In: a network's title and graph. Out: None, or one clear error for a network that takes anything else.
"""

from __future__ import annotations

from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import named
from archspec.graph.ir import Graph
from archspec.graph.token_ids import is_tokens

MOST_SHOWN = 4


def need_one_image(title: str, graph: Graph, what: str) -> None:
    """Require a network with one input, of numbers rather than token ids; `what` works on images."""
    names = [source.name for source in graph.sources]
    if len(names) > 1:
        message = f"{title} has {len(names)} inputs, {named(names, MOST_SHOWN)}: {what} works on single images"
        raise failure("E454", message)
    if is_tokens(graph.sources[0]):
        raise failure("E454", f"{title} takes token ids: {what} works on images")
