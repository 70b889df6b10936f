"""Calls of a shared block: all that stand in one instance of a block, or at the top level, have one set of weights.

In: a call, and the scope that it stands in. Out: in the builder, the first call whose weights it has.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, Label
from archspec.resolve.block_calls import BlockCall, shown
from archspec.resolve.declarations import Value
from archspec.resolve.graph_builder import GraphBuilder
from archspec.resolve.scope import Scope, SharedCall


def share(call: BlockCall, inner: Scope, scope: Scope, builder: GraphBuilder) -> None:
    """Note whose weights a call of a shared block has. Raises Finding if it is given other numbers than the first."""
    name, span = inner.path[:-1], call.step.span
    first = scope.shared.get(id(call.block.definition))
    if first is None:
        first = SharedCall(name, dict(inner.values), frozenset(call.values), span)
        scope.shared[id(call.block.definition)] = first
    builder.twins[name] = first.name
    for parameter, value in inner.values.items():
        if (parameter in call.values or parameter in first.given) and value != first.values[parameter]:
            raise _other_value(call, first, parameter, value)


def _other_value(call: BlockCall, first: SharedCall, parameter: str, value: Value) -> Finding:
    here, there = shown(value), shown(first.values[parameter])
    step = call.step
    message = f"`{step.name}` is shared, and `{parameter}` is {here} here and {there} in its first call"
    notes = ("all calls of a shared block have the same weights", "without `shared` each call has its own")
    argument = call.given.get(parameter)
    others = (Label(first.span, "the first call"),) if first.span != step.span else ()

    def helps() -> tuple[Help, ...]:
        if argument is None or not isinstance(first.values[parameter], int | float):
            return ()
        return (Help(f"`{there}`", Edit(argument.value.span, there)),)

    span = step.span if argument is None else argument.span
    return Finding("E119", message, span, "another value", others=others, notes=notes, helps=helps)
