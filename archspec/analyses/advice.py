"""What is legal but looks like a mistake.

In: a graph. Out: warnings. An input with three rows is probably meant channels first. Two weight layers without an
activation between them compute one linear map: the listing left its activations out, which one `after` rule adds.
"""

from __future__ import annotations

from archspec.diagnostics.findings import Diagnostic, Label, plural
from archspec.graph.ir import Graph, Node

MAX_COLOURS = 4


def advice(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return all warnings about a graph."""
    return (*channels_first(graph), *missing_activations(graph))


def channels_first(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return a warning for an input in torch's order, [3x224x224]."""
    image = graph.nodes[0]
    volume = image.volume
    if not volume.is_map or volume[0] > MAX_COLOURS or volume[1] != volume[2] or volume[1] <= MAX_COLOURS:
        return ()
    message = f"an input of {volume[0]} rows, {volume[1]} columns and {volume[2]} channels"
    notes = ("volumes are height x width x channels",)
    helps = (f"`[{volume[1]}x{volume[2]}x{volume[0]}] INPUT`, if the image has {volume[0]} channels",)
    return (Diagnostic("W202", message, (Label(image.span, "channels first?"),), notes, helps),)


def missing_activations(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return one warning for all pairs of weight layers without an activation between them."""
    pairs = [(before, node) for node in graph.nodes if (before := _linear_before(graph, node)) is not None]
    if not pairs:
        return ()
    before, node = pairs[0]
    more = f" (and {plural(len(pairs) - 1, 'more pair')})" if len(pairs) > 1 else ""
    message = f"no activation between {before.name} and {node.name}{more}"
    keywords = dict.fromkeys(pair[0].layer.keyword for pair in pairs)
    helps = (
        f"`after {' '.join(keywords)}: RELU` near the top adds one after each but the last",
        "`linear` after a layer says that this is intended",
    )
    labels = (Label(node.span, "the second"), Label(before.span, "the first"))
    notes = ("without an activation the two compute a single linear map",)
    return (Diagnostic("W201", message, labels, notes, helps),)


def _linear_before(graph: Graph, node: Node) -> Node | None:
    """Return the weight layer before this one, if only linear layers with a single reader are between them."""
    if not node.layer.is_weight_layer or not node.layer.is_linear or len(node.inputs) != 1:
        return None
    before = graph.nodes[node.inputs[0]]
    while len(graph.consumers[before.index]) == 1 and before.layer.is_linear and len(before.inputs) == 1:
        if before.layer.is_weight_layer:
            return None if before.layer.is_marked_linear else before
        before = graph.nodes[before.inputs[0]]
    return None
