"""What is legal and looks like a mistake.

In: a graph. Out: warnings. An input of three rows and as many channels as columns was meant channels first. Two weight
layers with nothing nonlinear between them are one weight layer: the listing left its activations out, and `after` says
them all at once.
"""

from __future__ import annotations

from archspec.diagnostics.findings import Diagnostic, Label, plural
from archspec.graph.ir import Graph, Node

MOST_COLOURS = 4


def advice(graph: Graph) -> tuple[Diagnostic, ...]:
    """All warnings about a graph."""
    return (*channels_first(graph), *missing_activations(graph))


def channels_first(graph: Graph) -> tuple[Diagnostic, ...]:
    """A warning for an input that is written as torch orders it, [3x224x224]."""
    image = graph.nodes[0]
    volume = image.volume
    if not volume.is_map or volume[0] > MOST_COLOURS or volume[1] != volume[2] or volume[1] <= MOST_COLOURS:
        return ()
    message = f"an input of {volume[0]} rows, {volume[1]} columns and {volume[2]} channels"
    notes = ("volumes are height x width x channels",)
    helps = (f"`[{volume[1]}x{volume[2]}x{volume[0]}] INPUT`, if it is {volume[0]} channels",)
    return (Diagnostic("W202", message, (Label(image.span, "channels first?"),), notes, helps),)


def missing_activations(graph: Graph) -> tuple[Diagnostic, ...]:
    """One warning for all pairs of weight layers that meet with nothing nonlinear between."""
    pairs = [(before, node) for node in graph.nodes if (before := _linear_before(graph, node)) is not None]
    if not pairs:
        return ()
    before, node = pairs[0]
    more = f" (and {plural(len(pairs) - 1, 'more pair')})" if len(pairs) > 1 else ""
    message = f"{before.name} and {node.name} meet with nothing nonlinear between them{more}"
    keywords = dict.fromkeys(pair[0].layer.keyword for pair in pairs)
    helps = (
        f"`after {' '.join(keywords)}: RELU` near the top adds one behind each, but for the last",
        "`linear` behind a layer says that it is meant so",
    )
    labels = (Label(node.span, "the second"), Label(before.span, "the first"))
    notes = ("without an activation the two are one linear map",)
    return (Diagnostic("W201", message, labels, notes, helps),)


def _linear_before(graph: Graph, node: Node) -> Node | None:
    """The weight layer before this one, if only linear layers stand between, and nobody else reads what they make."""
    if not node.layer.is_weight_layer or not node.layer.is_linear or len(node.inputs) != 1:
        return None
    before = graph.nodes[node.inputs[0]]
    while len(graph.consumers[before.index]) == 1 and before.layer.is_linear and len(before.inputs) == 1:
        if before.layer.is_weight_layer:
            return None if before.layer.is_marked_linear else before
        before = graph.nodes[before.inputs[0]]
    return None
