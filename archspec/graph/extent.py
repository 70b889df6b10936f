"""The part of a network that inference runs, or that leads to a named result.

In: a graph. Out: a graph of the nodes that its output, or the named result, depends on. Auxiliary classifiers are
excluded unless they are named.
"""

from __future__ import annotations

from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import did_you_mean
from archspec.graph.ir import Frame, Graph, Output
from archspec.layers.input import Input
from archspec.record import replace


def named(graph: Graph, name: str | None) -> int:
    """Return the index of a named node: a layer, or the last node of a block; without a name the output.

    Raises ArchspecError for an unknown name.
    """
    index = graph.output if name is None else _find(graph, name)
    if isinstance(graph.nodes[index].layer, Input):
        raise failure("E420", f"`{graph.nodes[index].name}` is the network's input, not a result")
    return index


def _find(graph: Graph, name: str) -> int:
    blocks: dict[str, int] = {}
    for node in graph.nodes:
        if node.name == name:
            return node.index
        frame: Frame | None = node.frame
        while frame is not None:
            blocks[frame.name] = node.index  # the last node of a block is its result: none of its nodes is unused
            frame = frame.parent
    if name not in blocks:
        known = [*blocks, *(node.name for node in graph.nodes)]
        helps = did_you_mean(name, known) or ("`archspec check SPEC --all` shows all names",)
        raise failure("E420", f"unknown result `{name}`", helps=helps)
    return blocks[name]


def upto(graph: Graph, output: int) -> Graph:
    """Return the part of the graph that leads to the node `output`, without auxiliary classifiers."""
    wanted = {output}
    for node in reversed(graph.nodes[: output + 1]):
        if node.index in wanted:
            wanted.update(node.inputs)
    places = {old: new for new, old in enumerate(sorted(wanted))}
    nodes = tuple(
        replace(graph.nodes[old], index=new, inputs=tuple(places[i] for i in graph.nodes[old].inputs), head=0)
        for old, new in places.items()
    )
    return Graph(graph.title, nodes, (Output(graph.nodes[output].name, places[output]),))
