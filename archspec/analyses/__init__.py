"""What is known about a graph without running it.

In: a graph. Out: an `Analysis`: the cost and receptive field of every layer, and the totals of the network. Auxiliary
classifiers have rows but are in no total. Claims and advice are findings, `partition` cuts a graph into stages, and
`memory` predicts a training step. Nothing is changed or printed here.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec.analyses.cost import Cost, costs
from archspec.analyses.receptive_field import Field, fields_by_input, last_map, receptive_fields
from archspec.graph.ir import Graph, Node
from archspec.record import Record


class Row(Record):
    """One layer with its cost and its receptive field."""

    node: Node
    cost: Cost
    field: Field  # in the first input that it sees
    fields: tuple[tuple[str, Field], ...] = ()  # in each input that it sees, by name, of a network with several

    @property
    def receptive_field(self) -> tuple[int, int]:
        """`(height, width)` in pixels of the input, along the paths without a global layer if there are any."""
        return self.field.size


class Totals(Record):
    """Sums over rows, for one image, in values, not bytes."""

    params: int
    params_no_bias: int
    macs: int
    attention_macs: int
    activations: int

    @property
    def flops(self) -> int:
        """Floating-point operations of convolutions, weight matrices and attention: two per multiply-accumulate."""
        return 2 * (self.macs + self.attention_macs)


class Analysis(Record):
    """The figures of a graph. `rows` has one entry per node, in the graph's order."""

    rows: tuple[Row, ...]
    totals: Totals
    weight_layers: int
    field: Field | None  # of the last feature map, if there is one


def analyse(graph: Graph) -> Analysis:
    """Measure every layer of a graph."""
    if len(graph.sources) == 1:
        fields = receptive_fields(graph)
        rows = tuple(map(Row, graph.nodes, costs(graph), fields))
    else:
        by_input = fields_by_input(graph)
        fields = tuple(found[0][1] for found in by_input)
        rows = tuple(map(Row, graph.nodes, costs(graph), fields, by_input))
    last = last_map(graph)
    return Analysis(
        rows=rows,
        totals=add_up(row.cost for row in rows if not row.node.head),
        weight_layers=weight_layers(graph),
        field=None if last is None else fields[last.index],
    )


def add_up(costs: Iterable[Cost]) -> Totals:
    """Return the sums of costs."""
    params = biases = macs = attention_macs = activations = 0
    for one in costs:
        params += one.params
        biases += one.biases
        macs += one.macs
        attention_macs += one.attention_macs
        activations += one.activations
    return Totals(params, params - biases, macs, attention_macs, activations)


def weight_layers(graph: Graph) -> int:
    """Return the most weight layers on any path from an input to an output, as lectures count depth.

    Parallel layers count once, auxiliary classifiers never. GoogLeNet has 22.
    """
    depths: list[int] = []
    for node in graph.nodes:
        before = max((depths[index] for index in node.inputs), default=0)
        depths.append(before + node.layer.is_weight_layer)
    return max(depths[output.node] for output in graph.outputs)
