"""Results inside a call: `@s.coarse`, `@encoder.stage2.skip`, `@last.coarse`; and `@before`.

In: a reference, its scope, and the point of its chain. Out: the volume, and the results of the call that it comes from.
"""

from __future__ import annotations

from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.resolve.graph_builder import LOST, UNKNOWN, Lost, Point, Results, Wire
from archspec.resolve.references import findings
from archspec.resolve.scope import Scope


def found(reference: s.Reference | s.ReferenceStep, scope: Scope, point: Point) -> tuple[Wire, Results | None]:
    """Return what a reference names. Raises Finding if there is no such result."""
    name, *path = reference.name.split(".")
    if path:
        return _inside(reference, scope, point, name, path)
    if name in scope.lists and isinstance(reference, s.ReferenceStep) and point.element is not None:
        return point.element, None
    if name == "last" and name not in scope.volumes:
        raise findings.bare_last(reference)
    if name != "before" or isinstance(reference, s.ReferenceStep):
        return scope.reference(name, reference.span), scope.results.get(name)
    if point.before is None and not isinstance(point.current, Lost):
        raise findings.no_step_before(reference, scope)
    return point.before or LOST, None


def _inside(
    reference: s.Reference | s.ReferenceStep, scope: Scope, point: Point, name: str, path: list[str]
) -> tuple[Wire, Results | None]:
    """Go from the call labelled `name`, or from the last one, to the label at the end of the path."""
    if name == "before" or (name == "last" and name in scope.volumes):
        raise findings.reserved(reference)
    results = point.results if name == "last" else scope.results.get(name)
    if results is UNKNOWN:
        return LOST, None
    if results is None:
        if name == "last" and isinstance(point.current, Lost):
            return LOST, None
        first = Span(reference.span.source, reference.span.start, reference.span.start + 1 + len(name))
        if name != "last" and isinstance(scope.reference(name, first), Lost):
            return LOST, None
        raise findings.no_call(reference, scope)
    for place, label in enumerate(path[:-1]):
        inner = results.inner.get(label)
        if inner is None:
            if isinstance(results.volumes.get(label), Lost):
                return LOST, None
            raise findings.no_inner(reference, results, ".".join([name, *path[:place]]), label)
        results = inner
    last = path[-1]
    if last not in results.volumes:
        raise findings.no_inner(reference, results, ".".join([name, *path[:-1]]), last)
    return results.volumes[last], results.inner.get(last)
