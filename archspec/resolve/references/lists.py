"""Lists of volumes: a branch that begins with `@more` stands for one branch for each.

In: the branches of a merge. Out: its branches with those of each list unfolded.
"""

from __future__ import annotations

from archspec.language import syntax as s
from archspec.record import replace
from archspec.resolve.graph_builder import GraphBuilder, Point
from archspec.resolve.scope import Scope

Branch = tuple[s.Body, Point]  # its lines, and where they begin


def unfolded(branches: list[Branch], scope: Scope, builder: GraphBuilder) -> list[Branch]:
    """Return the branches, the same list if none begins with a list of volumes."""
    if not any(_list_of(body, scope) for body, _ in branches):
        return branches
    found: list[Branch] = []
    for body, start in branches:
        name = _list_of(body, scope)
        if name is None:
            found.append((body, start))
            continue
        builder.step(body[0].span, len(scope.lists[name]))
        found += [(body, replace(start, element=wire)) for wire in scope.lists[name]]
    return found


def _list_of(body: s.Body, scope: Scope) -> str | None:
    """Return the list that a branch begins with, if it does."""
    first = body[0] if body else None
    step = first.steps[0] if isinstance(first, s.Chain) else None
    return step.name if isinstance(step, s.ReferenceStep) and step.name in scope.lists else None
