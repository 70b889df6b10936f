"""What is given to a layer by its label: other volumes, `kv=@memory`, and the weights of another layer.

In: a layer step, and its layer. Out: the layer's inputs; `weights=@words` is noted in the builder.
"""

from __future__ import annotations

from archspec.graph.ir import Node
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.resolve.argument_binding import WEIGHTS
from archspec.resolve.graph_builder import GraphBuilder, Point, Tie, Wire
from archspec.resolve.references.results import found
from archspec.resolve.scope import Scope


def given(layer: Layer, step: s.LayerStep, scope: Scope, point: Point, builder: GraphBuilder) -> tuple[Wire, ...]:
    """Return the volumes that a layer is given besides the flow, in the order in which it declares them.

    Raises Finding for a label that is unknown.
    """
    wires: dict[str, Wire] = {}
    for argument in step.arguments:
        if isinstance(argument.value, s.Reference) and argument.name is not None:
            wire, _ = found(argument.value, scope, point)
            wires[argument.name] = builder.visible(wire, argument.value.span)
            if argument.name == WEIGHTS and isinstance(wire, Node):
                builder.ties[len(builder.nodes)] = Tie(wire.index, argument.span)
    return tuple(wires[name] for name in layer.volumes if name in wires)
