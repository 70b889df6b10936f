"""A call of a block: which block, what its parameters are, and the scope of the instance.

In: a call, and the scope it stands in. Out: the scope of the instance. Positional arguments follow the order of the
parameters, numbers and volumes alike; defaults are worked out inside the instance, where `C` is its entry's.
"""

from __future__ import annotations

from typing import TypeAlias

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Label, did_you_mean, plural
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate
from archspec.record import Record
from archspec.resolve.declarations import Block, Value
from archspec.resolve.graph_builder import LOST, Wire
from archspec.resolve.scope import Scope

Given: TypeAlias = dict[str, s.GivenArgument]


class BlockCall(Record):
    """A call with its block, and the arguments that are given, by parameter: numbers and blocks, and volumes."""

    block: Block
    step: s.CallStep
    values: dict[str, Value]
    volumes: dict[str, Wire]

    @property
    def text(self) -> str:
        """The call with its values: `stage(128, 4, 2)`."""
        shown = []
        for parameter in self.block.definition.parameters:
            name = parameter.name
            if name in self.volumes:
                shown.append(f"@{name}")
            elif name in self.values:
                shown.append(_shown(self.values[name]))
        return f"{self.step.name}({', '.join(shown)})"

    def instance(self, frame: Frame, entry: Wire) -> Scope:
        """The scope of one instance, defaults filled in. Raises Finding for a default that has no value there."""
        scope = Scope(self.block.file, frame, entry, self.block.labels)
        for parameter in self.block.definition.parameters:
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


def read_call(step: s.CallStep, caller: Scope, before: Wire | None) -> BlockCall:
    """Work out which block a call names and what it gives it; `before` is the volume of `@before`.

    Raises Finding for a block or an argument that is unknown, of the wrong kind, missing or one too many; Unknown
    if one depends on a lost volume.
    """
    block = _find_block(step, caller)
    given = _given(block, step)
    values: dict[str, Value] = {}
    volumes: dict[str, Wire] = {}
    for parameter in block.definition.parameters:
        argument = given.get(parameter.name)
        if argument is None:
            if parameter.default is None:
                raise _missing(parameter, block, step)
            if isinstance(parameter.default, s.Reference):
                volumes[parameter.name] = _volume_of(parameter.default, caller, before)
            continue
        is_volume = isinstance(argument.value, s.Reference)
        if is_volume != parameter.is_volume:
            raise _wrong_kind(parameter, argument, block, step)
        if isinstance(argument.value, s.Reference):
            volumes[parameter.name] = _volume_of(argument.value, caller, before)
        elif not isinstance(argument.value, s.Extent | s.Short):
            values[parameter.name] = evaluate(argument.value, caller.lookup)
    return BlockCall(block, step, values, volumes)


def _shown(value: Value) -> str:
    if isinstance(value, Block):
        return value.definition.name
    return f"{value:g}" if isinstance(value, float) else str(value)


def _find_block(step: s.CallStep, scope: Scope) -> Block:
    """Find the block that a call names. Raises Finding if there is none."""
    span = Span(step.span.source, step.span.start, step.span.start + len(step.name))
    value = scope.values.get(step.name, scope.file.values.get(step.name, scope.file.blocks.get(step.name)))
    if isinstance(value, Block):
        return value
    if value is not None:
        raise Finding("E101", f"`{step.name}` is a number, not a block", span, helps=("give it the name of a block",))
    if step.name in scope.file.lost:
        raise Unknown
    define = (f"define it: `block {step.name}(...)`, with its lines indented below",)

    def helps() -> tuple[str, ...]:
        return did_you_mean(step.name, scope.file.blocks) or define

    raise Finding("E101", f"unknown block `{step.name}`", span, "unknown block", helps=helps)


def _given(block: Block, step: s.CallStep) -> Given:
    """The arguments of a call by parameter: not evaluated yet."""
    parameters = block.definition.parameters
    given = _named(block, step)
    open_parameters = [parameter for parameter in parameters if parameter.name not in given]
    positional = [argument for argument in step.arguments if argument.name is None]
    if len(positional) > len(open_parameters):
        raise _surplus(positional[len(open_parameters)], block, step)
    for parameter, argument in zip(open_parameters, positional, strict=False):
        given[parameter.name] = argument
    return given


def _named(block: Block, step: s.CallStep) -> Given:
    known = {parameter.name for parameter in block.definition.parameters}
    given: Given = {}
    for argument in step.arguments:
        name = argument.name
        if name is None:
            continue
        if name not in known:
            raise _no_parameter(name, block, step, argument.span)
        if name in given:
            others = (Label(given[name].span, "the first"),)
            raise Finding("E106", f"`{name}` is given twice", argument.span, "the second", others=others)
        given[name] = argument
    return given


def _no_parameter(name: str, block: Block, step: s.CallStep, span: Span) -> Finding:
    known = [parameter.name for parameter in block.definition.parameters]

    def helps() -> tuple[str, ...]:
        return did_you_mean(name, known) or (_signature(block),)

    return Finding("E103", f"`{step.name}` has no parameter `{name}`", span, "unknown", helps=helps)


def _volume_of(reference: s.Reference, caller: Scope, before: Wire | None) -> Wire:
    """Return the volume of `@name`; `@before` is the input of the previous step of the caller's chain."""
    if reference.name != "before":
        return caller.reference(reference.name, reference.span)
    if before is None:
        helps = ("it is the input of the previous step, and this is the first step",)
        raise Finding("E108", "`@before` is undefined here", reference.span, helps=helps)
    return before


def _signature(block: Block) -> str:
    """Return a help with the block's definition as it was written: `bottleneck(f, stride=1)`."""
    definition = block.definition
    return f"its definition is `{definition.span.text if definition.parameters else f'{definition.name}()'}`"


def _surplus(argument: s.GivenArgument, block: Block, step: s.CallStep) -> Finding:
    takes = plural(len(block.definition.parameters), "argument")
    message = f"`{step.name}` takes {takes}, got {len(step.arguments)}"
    return Finding("E104", message, argument.span, "one too many", helps=(_signature(block),))


def _missing(parameter: s.Parameter, block: Block, step: s.CallStep) -> Finding:
    name = step.name
    helps: tuple[str, ...] = (_signature(block),)
    if parameter.is_volume:
        message = f"`{name}` requires a volume for `@{parameter.name}`"
        helps = (f"`{name}(..., @label)` passes the result of the line that begins `label: `", *helps)
    else:
        message = f"`{name}` requires a value for `{parameter.name}`"
    return Finding("E106", message, step.span, "missing argument", helps=helps)


def _wrong_kind(parameter: s.Parameter, argument: s.GivenArgument, block: Block, step: s.CallStep) -> Finding:
    name = step.name
    if parameter.is_volume:
        message = f"`{name}` takes a volume for `@{parameter.name}`"
        return Finding("E105", message, argument.span, "not a volume", helps=("`@label`", _signature(block)))
    message = f"`{name}` takes a number or a block for `{parameter.name}`"
    return Finding("E105", message, argument.span, "a volume", helps=(_signature(block),))
