"""The part of a network that inference runs, or that leads to a named result.

In: a graph. Out: a graph of the nodes that its outputs, or the named result, depend on: inputs that they do not depend
on are gone too. Auxiliary classifiers are excluded unless they are named.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import did_you_mean
from archspec.graph.ir import Frame, Graph, Output
from archspec.layers.input import Input
from archspec.record import replace


def part(graph: Graph, name: str | None) -> Graph:
    """Return the part that leads to a named result; without a name, to the outputs. Raises as `named` does."""
    return _leading(graph, named(graph, name))


def named(graph: Graph, name: str | None) -> tuple[Output, ...]:
    """Return a named result: an output, a layer, or the last node of a block; without a name all outputs.

    Raises ArchspecError for an unknown name, and for an input.
    """
    found = graph.outputs if name is None else (_find(graph, name),)
    if all(isinstance(graph.nodes[output.node].layer, Input) for output in found):
        raise failure("E420", f"`{graph.nodes[found[0].node].name}` is the network's input, not a result")
    return found


def _find(graph: Graph, name: str) -> Output:
    blocks: dict[str, int] = {}
    outputs = {output.name: output for output in graph.outputs}
    if name in outputs:
        return outputs[name]
    for node in graph.nodes:
        if node.name == name:
            return Output(name, node.index)
        frame: Frame | None = node.frame
        while frame is not None:
            blocks[frame.name] = node.index  # the last node of a block is its result: none of its nodes is unused
            frame = frame.parent
    if name not in blocks:
        known = list(dict.fromkeys([*outputs, *blocks, *(node.name for node in graph.nodes)]))
        helps = did_you_mean(name, known) or ("`archspec check SPEC --all` shows all names",)
        raise failure("E420", f"unknown result `{name}`", helps=helps)
    return Output(graph.nodes[blocks[name]].name, blocks[name])


def upto(graph: Graph, output: int) -> Graph:
    """Return the part of the graph that leads to the node `output`, without auxiliary classifiers."""
    return _leading(graph, (Output(graph.nodes[output].name, output),))


def _leading(graph: Graph, outputs: Iterable[Output]) -> Graph:
    wanted = {output.node for output in outputs}
    for node in reversed(graph.nodes):
        if node.index in wanted:
            wanted.update(node.inputs)
    places = {old: new for new, old in enumerate(sorted(wanted))}
    nodes = tuple(
        replace(graph.nodes[old], index=new, inputs=tuple(places[i] for i in graph.nodes[old].inputs), head=0)
        for old, new in places.items()
    )
    return Graph(graph.title, nodes, tuple(replace(output, node=places[output.node]) for output in outputs))
