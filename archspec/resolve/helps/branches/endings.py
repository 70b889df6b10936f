"""A branch that lacks its last step: an FC back to the vectors of its input, or the second TRANSPOSE.

In: a branch that does not fit, and the volume that it has to have. Out: the branch with another step at its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.layers.linear import FullyConnected
from archspec.layers.sequence import Transpose
from archspec.resolve.helps.branches.branch import Branch


def ended(odd: Branch, goal: Volume) -> Iterator[Help]:
    """Yield a branch of a sequence with the step that it lacks."""
    last = odd.body[-1]
    if len(goal) != 2 or odd.is_bare or not odd.nodes or not isinstance(last, s.Chain) or last.bracket:
        return
    for layer, text in _candidates(odd, goal):
        try:
            volume = layer.output((odd.volume,))
        except Finding:
            continue
        if volume == goal:
            end = last.steps[-1].span
            new = f"{end.text} -> {text}"
            yield Help(f"`{new}`: the branch then produces {volume}", Edit(end, new))


def _candidates(odd: Branch, goal: Volume) -> Iterator[tuple[Layer, str]]:
    """Yield an FC after an activation, which is the hidden layer's; and the TRANSPOSE that undoes another."""
    if any(isinstance(node.layer, FullyConnected) for node in odd.nodes) and odd.nodes[-1].layer.role == "activation":
        width, entry = goal.channels, odd.scope.entry
        if odd.scope.frame is None:
            yield FullyConnected(features=width), f"FC {width}"
        elif isinstance(entry, Node) and entry.volume.channels == width:
            yield FullyConnected(features=width), "FC C"
    if sum(isinstance(node.layer, Transpose) for node in odd.nodes) % 2:
        yield Transpose(), "TRANSPOSE"
