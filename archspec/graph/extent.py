"""How much of a network: what inference runs, or what leads to a named result.

In: a graph. Out: a graph of the nodes that its output, or the result of a name, is made from. Auxiliary classifiers are
not among them unless they are named.
"""

from __future__ import annotations

from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import did_you_mean
from archspec.graph.ir import Frame, Graph
from archspec.layers.input import Input
from archspec.record import replace


def named(graph: Graph, name: str | None) -> int:
    """The node that a name means: a layer's own, or the one that a block ends in; without a name the output.

    Raises ArchspecError where nothing is called so.
    """
    index = graph.output if name is None else _find(graph, name)
    if isinstance(graph.nodes[index].layer, Input):
        raise failure("E420", f"`{graph.nodes[index].name}` is what enters: nothing leads to it")
    return index


def _find(graph: Graph, name: str) -> int:
    blocks: dict[str, int] = {}
    for node in graph.nodes:
        if node.name == name:
            return node.index
        frame: Frame | None = node.frame
        while frame is not None:
            blocks[frame.name] = node.index  # the last of a block's nodes is its result: nothing in it is unused
            frame = frame.parent
    if name not in blocks:
        known = [*blocks, *(node.name for node in graph.nodes)]
        helps = did_you_mean(name, known) or ("`archspec check SPEC --all` shows all names",)
        raise failure("E420", f"no result is called `{name}`", helps=helps)
    return blocks[name]


def upto(graph: Graph, output: int) -> Graph:
    """The part of the graph that ends in the node `output`, as a network without auxiliary classifiers."""
    wanted = {output}
    for node in reversed(graph.nodes[: output + 1]):
        if node.index in wanted:
            wanted.update(node.inputs)
    places = {old: new for new, old in enumerate(sorted(wanted))}
    nodes = tuple(
        replace(graph.nodes[old], index=new, inputs=tuple(places[i] for i in graph.nodes[old].inputs), head=0)
        for old, new in places.items()
    )
    return Graph(graph.title, nodes, places[output])
