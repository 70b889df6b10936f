"""What is legal but looks like a mistake.

In: a graph. Out: warnings. An input with three rows is probably meant channels first. Two weight layers without an
activation between them compute one linear map: the listing left its activations out, which one `after` rule adds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label, plural
from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph, Node
from archspec.graph.volume import Volume

MAX_COLOURS = 4
Pair = tuple[Node, Node]


def advice(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return all warnings about a graph."""
    return (*channels_first(graph), *missing_activations(graph))


def channels_first(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return a warning for each input in torch's order, [3x224x224]."""
    return tuple(_turned(image) for image in graph.sources if _is_channels_first(image.volume))


def _is_channels_first(volume: Volume) -> bool:
    return volume.is_map and volume[0] <= MAX_COLOURS < volume[1] == volume[2]


def _turned(image: Node) -> Diagnostic:
    volume = image.volume
    message = f"an input of {volume[0]} rows, {volume[1]} columns and {volume[2]} channels"
    notes = ("volumes are height x width x channels",)
    text = f"[{volume[1]}x{volume[2]}x{volume[0]}]"
    span = _bracket(image.span, tuple(volume))
    helps = (Help(f"`{text}`, if the image has {volume[0]} channels", Edit(span, text)),) if span else ()
    return Diagnostic("W202", message, (Label(span or image.span, "channels first?"),), notes, helps)


def _bracket(layer: Span, sizes: tuple[int, ...]) -> Span | None:
    """Return the bracket with these sizes on the line of a layer, unless they are expressions."""
    source, start = layer.source, layer.source.starts[layer.line - 1]
    found = re.search(rf"\[ *{' *[x×] *'.join(map(str, sizes))} *\]", source.line(layer.line))
    return Span(source, start + found.start(), start + found.end()) if found else None


def missing_activations(graph: Graph) -> tuple[Diagnostic, ...]:
    """Return one warning for all pairs of weight layers without an activation between them."""
    pairs = [(before, node) for node in graph.nodes if (before := _linear_before(graph, node)) is not None]
    if not pairs:
        return ()
    before, node = pairs[0]
    more = f" (and {plural(len(pairs) - 1, 'more pair')})" if len(pairs) > 1 else ""
    message = f"no activation between {before.name} and {node.name}{more}"
    labels = (Label(node.span, "the second"), Label(before.span, "the first"))
    notes = ("without an activation the two compute a single linear map",)
    return (Diagnostic("W201", message, labels, notes, tuple(_activations(graph, pairs))),)


def _activations(graph: Graph, pairs: Sequence[Pair]) -> list[Help]:
    """Return the helps that give each pair an activation, or say that none is meant."""
    source = graph.nodes[0].span.source
    if any(node.span.source is not source for pair in pairs for node in pair):
        return []  # in a file that the spec uses
    rule = _rule(graph, pairs, source)
    seconds = {node.span: None for _, node in pairs}
    between = Help("`RELU ->` before the second", *(Edit(_start(span), "RELU -> ") for span in seconds))
    firsts = {before.span: None for before, _ in pairs}
    meant = Help(
        "`linear` after the first says that this is intended", *(Edit(_end(span), " linear") for span in firsts)
    )
    return [*([rule] if rule else [between]), meant]


def _rule(graph: Graph, pairs: Sequence[Pair], source: Source) -> Help | None:
    """Return the help with one `after` rule for all pairs; None if it would not act, or if there is a rule."""
    keywords = dict.fromkeys(before.layer.keyword for before, _ in pairs)
    has_rule = re.search(rf"^after\b[^:\n]*\b(?:{'|'.join(keywords)})\b", source.text, re.MULTILINE)
    follows = [graph.nodes[graph.consumers[before.index][0]] for before, _ in pairs]
    if has_rule or any(node.layer.is_linear and not node.layer.is_weight_layer for node in follows):
        return None  # a normalisation after the first: `after` leaves such layers alone
    text = f"after {' '.join(keywords)}: RELU"
    first = re.search(r"^(?!net\b)[^\s#].*", source.text, re.MULTILINE)
    at = first.start() if first else 0
    return Help(f"`{text}` near the top adds one after each but the last", Edit(Span(source, at, at), f"{text}\n"))


def _start(span: Span) -> Span:
    return Span(span.source, span.start, span.start)


def _end(span: Span) -> Span:
    return Span(span.source, span.end, span.end)


def _linear_before(graph: Graph, node: Node) -> Node | None:
    """Return the weight layer before this one, if only linear layers with a single reader are between them."""
    if not node.layer.is_weight_layer or not node.layer.is_linear or len(node.inputs) != 1:
        return None
    before = graph.nodes[node.inputs[0]]
    while graph.readers[before.index] == 1 and before.layer.is_linear and len(before.inputs) == 1:
        if before.layer.is_weight_layer:
            return None if before.layer.is_marked_linear else before
        before = graph.nodes[before.inputs[0]]
    return None
