"""A call of a block: which block, what its parameters are, and the scope of the instance.

In: a call, and the scope it stands in. Out: the scope of the instance. Positional arguments follow the order of the
parameters, numbers and volumes alike; defaults are worked out inside the instance, where `C` is its entry's.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame, Node
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate
from archspec.record import Record
from archspec.resolve.declarations import Block, Value
from archspec.resolve.graph_builder import LOST, Point, Results, Wire
from archspec.resolve.scope import Scope

if TYPE_CHECKING:
    from archspec.resolve.names.calls import CallPlace

Given: TypeAlias = dict[str, s.GivenArgument]


class BlockCall(Record):
    """A call with its block, and the arguments that are given, by parameter: as written, their values, and volumes.

    `more` are the volumes of its list.
    """

    block: Block
    step: s.CallStep
    caller: Scope
    given: Given
    values: dict[str, Value]
    volumes: dict[str, Wire]
    more: tuple[Wire, ...]

    @property
    def text(self) -> str:
        """The call with its values: `stage(128, 4, 2)`."""
        written = []
        for parameter in self.block.definition.parameters:
            name = parameter.name
            if parameter.is_volume:
                written.append(parameter.text)
            elif name in self.values:
                written.append(shown(self.values[name]))
        return f"{self.step.name}({', '.join(written)})"

    def instance(self, frame: Frame, entry: Wire) -> Scope:
        """The scope of one instance, defaults filled in. Raises Finding for a default that has no value there."""
        scope = Scope(self.block.file, frame, entry, self.block.labels)
        scope.given, scope.call = self.given, (self.step, self.caller)
        for parameter in self.block.definition.parameters:
            if parameter.is_list:
                scope.lists[parameter.name] = self.more
                continue
            if parameter.is_volume:
                scope.volumes[parameter.name] = self.volumes.get(parameter.name, LOST)
                continue
            if parameter.name in self.values:
                scope.values[parameter.name] = self.values[parameter.name]
            elif isinstance(parameter.default, s.Reference) or parameter.default is None:
                raise Unknown
            else:
                scope.values[parameter.name] = evaluate(parameter.default, scope.lookup)
            scope.places[parameter.name] = parameter.span
        return scope

    def results(self, inner: Scope) -> Results:
        """Return what the call shows: the labels of its instance, without the volumes that it was given."""
        shown = {name: wire for name, wire in inner.volumes.items() if name not in self.volumes}
        return Results(inner.path[:-1], shown, inner.results)


def read_call(step: s.CallStep, caller: Scope, point: Point) -> BlockCall:
    """Work out which block a call names and what it gives it, at a point of the caller's chain.

    Raises Finding for a block or an argument that is unknown, of the wrong kind, missing or one too many; Unknown
    if one depends on a lost volume.
    """
    block = find_block(step, caller)
    given = given_arguments(block.definition, step, lambda: placed(caller, point))
    values: dict[str, Value] = {}
    volumes: dict[str, Wire] = {}
    for parameter in block.definition.parameters:
        argument = given.get(parameter.name)
        if argument is None:
            if isinstance(parameter.default, s.Reference):
                if not _is_defined(parameter.default, point):
                    raise _calls().FaultyCall(block.definition, step, placed(caller, point)).missing(parameter)
                volumes[parameter.name] = _volume_of(parameter.default, caller, point)
        elif isinstance(argument.value, s.Reference) and not parameter.is_list:
            volumes[parameter.name] = _volume_of(argument.value, caller, point)
        elif not isinstance(argument.value, s.Extent | s.Short | s.Reference):
            values[parameter.name] = evaluate(argument.value, caller.lookup)
    parameters = block.definition.parameters
    more = _more(step, given, caller, point) if parameters and parameters[-1].is_list else ()
    return BlockCall(block, step, caller, given, values, volumes, more)


def _is_defined(default: s.Reference, point: Point) -> bool:
    """Whether there is a step before for `@before`, and a call before for `@last.coarse`."""
    if default.name == "before":
        return point.before is not None
    return point.results is not None or not default.name.startswith("last.")


def _more(step: s.CallStep, given: Given, caller: Scope, point: Point) -> tuple[Wire, ...]:
    """Return the volumes that a call gives to a list: of all arguments that no other parameter takes."""
    found: list[Wire] = []
    others = [id(argument) for argument in given.values()]
    for argument in step.arguments:
        if id(argument) not in others:
            value = argument.value
            assert isinstance(value, s.Reference)  # given_arguments has looked
            found += caller.lists[value.name] if value.name in caller.lists else [_volume_of(value, caller, point)]
    return tuple(found)


def given_arguments(definition: s.BlockDefinition, step: s.CallStep, place: Callable[[], CallPlace]) -> Given:
    """Return the arguments of a call by parameter, not evaluated; one without a name takes the first free parameter.

    Raises Finding for an argument that is unknown, given twice, missing, of the wrong kind or one too many.
    """
    free = {parameter.name: parameter for parameter in definition.parameters}
    more = free.popitem()[1] if definition.parameters and definition.parameters[-1].is_list else None
    given: Given = {}
    for number, argument in enumerate(step.arguments):
        name = argument.name or next(iter(free), None)
        if more is not None and name in (None, more.name):
            if not isinstance(argument.value, s.Reference):
                raise _calls().FaultyCall(definition, step, place()).wrong_kind(more, argument)
            continue
        if name is None:
            surplus = [one for one in step.arguments[number:] if one.name is None]
            raise _calls().FaultyCall(definition, step, place()).surplus(surplus)
        if name in given:
            raise _calls().FaultyCall(definition, step, place()).twice(argument, given[name])
        if name not in free:
            raise _calls().FaultyCall(definition, step, place()).unknown(argument, given)
        parameter = free.pop(name)
        if isinstance(argument.value, s.Reference) != parameter.is_volume:
            raise _calls().FaultyCall(definition, step, place()).wrong_kind(parameter, argument)
        given[name] = argument
    for parameter in free.values():
        if parameter.default is None:
            raise _calls().FaultyCall(definition, step, place()).missing(parameter)
    return given


def _calls() -> ModuleType:
    """Return the module of the findings, which a correct spec does not need."""
    from archspec.resolve.names import calls

    return calls


def placed(scope: Scope, point: Point | None) -> CallPlace:
    """Return what is known where a call stands."""
    from archspec.resolve.names.calls import CallPlace

    channels = point.current.volume.channels if point and isinstance(point.current, Node) else 0
    inside = [name for name, value in scope.values.items() if isinstance(value, Block)]
    return CallPlace(tuple(scope.volumes), channels, (*inside, *scope.file.blocks))


def shown(value: Value) -> str:
    """Return a value as a call writes it."""
    if isinstance(value, Block):
        return value.definition.name
    return f"{value:g}" if isinstance(value, float) else str(value)


def find_block(step: s.CallStep, scope: Scope) -> Block:
    """Find the block that a call names. Raises Finding if there is none."""
    if step.name in scope.lost:
        raise Unknown
    value = scope.values.get(step.name, scope.file.values.get(step.name, scope.file.blocks.get(step.name)))
    if isinstance(value, Block):
        return value
    if step.name in scope.file.lost:
        raise Unknown
    span = Span(step.span.source, step.span.start, step.span.start + len(step.name))
    calls, place = _calls(), placed(scope, None)
    if step.name in scope.values and step.name in scope.given:
        scope.lost.add(step.name)  # told once
        del scope.values[step.name]
        raise _of_argument(step.name, scope)
    finding: Finding = (calls.no_block if value is None else calls.not_a_block)(step, span, place)
    raise finding


def _of_argument(name: str, scope: Scope) -> Finding:
    """Return the finding for an argument that is not a block, at the call that gives it."""
    from archspec.resolve.names import given

    argument = scope.given[name]
    assert scope.call is not None  # it has arguments
    step, caller = scope.call
    while isinstance(argument.value, s.Name) and argument.value.name in caller.given and caller.call:
        name, argument = argument.value.name, caller.given[argument.value.name]
        step, caller = caller.call
    finding: Finding = given.needs_block(name, argument, step, placed(caller, None))
    return finding


def _volume_of(reference: s.Reference, caller: Scope, point: Point) -> Wire:
    """Return the volume of `@name`; of `@before`, `@last.label` and `@call.label` at a point of the caller's chain."""
    wire = caller.volumes.get(reference.name)
    if wire is not None:
        return wire
    from archspec.resolve.references.results import found

    return found(reference, caller, point)[0]


def references(step: s.CallStep) -> list[str]:
    """Return the labels that a call is given."""
    return [argument.value.name for argument in step.arguments if isinstance(argument.value, s.Reference)]
