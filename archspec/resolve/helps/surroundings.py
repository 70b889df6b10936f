"""What surrounds a step that was refused.

In: the point before it, its bracket, the nodes so far, and the file. Out: `Surroundings`.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.resolve.graph_builder import Wire
from archspec.resolve.helps.inputs import sizes


class Surroundings:
    """The node before a step, the volume that its bracket says it produces, None if not known; all nodes; the file."""

    def __init__(self, before: Node | None, claimed: Volume | None, nodes: Sequence[Node], file: s.File) -> None:
        self.file = file
        self.before = before
        self.claimed = claimed
        self.nodes = nodes

    @property
    def entering(self) -> Volume | None:
        """The volume that enters the step."""
        return self.before.volume if self.before else None


def of(current: Wire | None, bracket: s.Bracket | None, nodes: Sequence[Node], file: s.File) -> Surroundings:
    """Return what enters a step, and the volume that its bracket says it produces."""
    claimed = sizes(bracket) if bracket else ()
    return Surroundings(
        current if isinstance(current, Node) else None, Volume(claimed) if claimed else None, nodes, file
    )
