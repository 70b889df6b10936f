"""One branch of a merge that was refused: its steps, its nodes, and the volume with other layers in it.

In: the lines of a branch, and the node at its end. Out: a `Branch`.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.record import Record
from archspec.resolve.helps.respelling import Speller
from archspec.resolve.helps.steps import layer_at
from archspec.resolve.layer_names import name_layer
from archspec.resolve.names.parts import steps_in
from archspec.resolve.scope import StepContext


class Merge(Record):
    """A merge step, the nodes so far, its surroundings, and its file."""

    step: s.MergeStep
    nodes: list[Node]
    context: StepContext
    file: s.File


class Branch:
    """One branch: its lines, the nodes along it from the merge's input to its end, and its steps that are layers."""

    def __init__(self, body: s.Body, end: Node, merge: Merge, entry: Node | None) -> None:
        self.body = body
        self.end = end
        self.scope = merge.context.scope
        self.file = merge.file
        self.nodes: list[Node] = []
        node = end
        while node is not entry and len(node.inputs) == 1:
            self.nodes.insert(0, node)
            node = merge.nodes[node.inputs[0]]
        self.base = node.volume
        self.is_bare = len(body) == 1 and isinstance(body[0], s.Chain) and isinstance(body[0].steps[0], s.EntryStep)
        steps = (step for step in steps_in(body) if isinstance(step, s.LayerStep))
        self.steps = {step.span.start: step for step in steps}

    @property
    def volume(self) -> Volume:
        """The volume at its end."""
        return self.end.volume

    def volume_with(self, changed: dict[int, Layer]) -> Volume | None:
        """The volume at its end with other layers, by the index of their nodes; None if one does not fit."""
        volume = self.base
        try:
            for node in self.nodes:
                volume = changed.get(node.index, node.layer).output((volume,))
        except Finding:
            return None
        return volume

    def speller(self, node: Node) -> Speller | None:
        """The step of a node that is written in this branch or in the lines before the merge, and not in a block."""
        step = self.steps.get(node.span.start)
        if step is None and node.frame is self.scope.frame and not node.implied:
            step = layer_at(self.file, node.span)
        return None if step is None else Speller(step, name_layer(step), self.scope, self.file)
