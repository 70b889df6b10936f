"""What only the whole graph can tell: results that lead nowhere, needless biases, rates of DROPPATH, `init` lines.

In: a graph as it was built, and the names of its files. Out: findings; the graph as analyses and back ends read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archspec.diagnostics.errors import Finding, collect
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Help
from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph, Node
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, number
from archspec.layers import REGISTRY, Layer
from archspec.layers.dropout import DropPath
from archspec.record import replace
from archspec.resolve.declarations import FileNames, rule_layer
from archspec.resolve.scope import Scope

FirstValues = dict[tuple[Source, type[Layer]], float]


def first_values(files: Iterable[FileNames], findings: list[Diagnostic]) -> FirstValues:
    """Return what the `init` lines of each file say of its layers, and collect what is wrong with them."""
    values: FirstValues = {}
    for names in files:
        for layer, rule in names.init.items():
            try:
                values[rule.span.source, layer] = _first_value(layer, rule, names)
            except Finding as finding:
                collect(findings, finding, rule.span)
            except Unknown:
                pass  # a parameter that was reported
    return values


def _first_value(layer: type[Layer], rule: s.Init, names: FileNames) -> float:
    if "init" not in layer.arguments:
        from archspec.resolve.names.lines import without_word  # correct specs need none

        known = dict.fromkeys(one.keyword for one in REGISTRY.values() if "init" in one.arguments)
        notes = ("`init` is for " + ", ".join(known),)
        place = next(place for place, word in enumerate(rule.words) if rule_layer(word) is layer)
        span = rule.words[place].span
        helps = (Help(f"drop `{span.text}`", without_word(rule.words, place)),) if len(rule.words) > 1 else ()
        raise Finding("E105", f"{layer.keyword} has no weights for `init` to fill", span, notes=notes, helps=helps)
    try:
        value: float = layer.arguments["init"].kind.convert(
            number(rule.value, Scope(names, None, None, frozenset()).lookup)
        )
    except Finding as finding:
        finding.span = finding.span or rule.value.span
        raise
    return value


def finished(graph: Graph, values: FirstValues) -> Graph:
    """Return the graph as analyses and back ends read it."""
    nodes = list(graph.nodes)
    _drop_needless_biases(graph, nodes)
    _spread_rates(nodes)
    if values:
        nodes = [replace(node, init=values.get((node.span.source, type(node.layer)))) for node in nodes]
    return graph.with_nodes(nodes)


def _drop_needless_biases(graph: Graph, nodes: list[Node]) -> None:
    """Drop the bias of each CONV or FC directly before a BN, whose shift replaces it (Ioffe & Szegedy 2015)."""
    for node in graph.nodes:
        if node.layer.absorbs_bias and graph.readers[node.inputs[0]] == 1:
            before = nodes[node.inputs[0]]
            if before.layer.has_optional_bias:
                nodes[before.index] = replace(before, layer=before.layer.without_bias())


def _spread_rates(nodes: list[Node]) -> None:
    """Give the DROPPATHs that share a range, `DROPPATH 0 to 0.2`, evenly spaced rates from the first block on.

    All instances of the blocks that contain such a DROPPATH count, also those that skip it by an `if`; one outside of
    blocks counts for itself.
    """
    ranged = [(node, node.layer) for node in nodes if isinstance(node.layer, DropPath) and node.layer.to is not None]
    if not ranged:
        return
    within: dict[Span | None, dict[DropPath, None]] = {}  # the ranges in each block's definition
    for node, layer in ranged:
        within.setdefault(node.frame.definition if node.frame else None, {})[layer] = None
    places: dict[DropPath, dict[str, int]] = {layer: {} for _, layer in ranged}
    for definition, name, layers in _instances(nodes):
        for layer in layers or within.get(definition, ()):
            places[layer].setdefault(name, len(places[layer]))
    for node, layer in ranged:
        place = places[layer]
        name = node.frame.name if node.frame else node.name
        nodes[node.index] = replace(node, layer=layer.at(place[name], len(place)))


def _instances(nodes: list[Node]) -> Iterator[tuple[Span | None, str, tuple[DropPath, ...]]]:
    """Yield the definition and name of each instance of a block, in their order, and DROPPATHs outside of blocks."""
    seen: set[str] = set()
    for node in nodes:
        new, frame = [], node.frame
        while frame and frame.name not in seen:
            seen.add(frame.name)
            new.append((frame.definition, frame.name, ()))
            frame = frame.parent
        yield from reversed(new)
        if node.frame is None and isinstance(node.layer, DropPath) and node.layer.to is not None:
            yield None, node.name, (node.layer,)


def unused_results(graph: Graph) -> list[Diagnostic]:
    """Report results that do not contribute to the output."""
    found = [node for node, readers in zip(graph.nodes, graph.readers, strict=True) if not readers]
    if not found:
        return []
    from archspec.resolve.unreached.unused_results import unused_result  # a correct spec has none

    first = {node.span.start: node for node in reversed(found)}
    starts = dict.fromkeys(node.span.start for node in found)
    return [unused_result(first[start], graph, place < MAX_SHOWN) for place, start in enumerate(starts)]
