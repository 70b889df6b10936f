"""A call of a block: which block, and what its parameters are.

In: a call, and the scope it stands in. Out: the scope of the instance. Positional arguments follow the order of the
parameters, numbers and volumes alike; defaults are worked out inside the instance, where `C` is its entry's.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Label, did_you_mean, plural
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate
from archspec.resolve.scope import LOST, Block, Scope, Wire


def find_block(step: s.CallStep, scope: Scope) -> Block:
    """The block that a call names. Raises Finding where there is none."""
    span = Span(step.span.source, step.span.start, step.span.start + len(step.name))
    value = scope.values.get(step.name, scope.module.values.get(step.name, scope.module.blocks.get(step.name)))
    if isinstance(value, Block):
        return value
    if value is not None:
        raise Finding("E101", f"`{step.name}` is a number, not a block", span, helps=("give it a block's name",))
    if step.name in scope.module.lost:
        raise Unknown
    helps = did_you_mean(step.name, scope.module.blocks)
    if not helps:
        helps = (f"define it: `block {step.name}(...)`, with its lines indented below",)
    raise Finding("E101", f"no block is called `{step.name}`", span, "unknown block", helps=helps)


class Given:
    """The arguments of a call, by parameter: not evaluated yet."""

    def __init__(self, block: Block, step: s.CallStep) -> None:
        self.parameters = block.definition.parameters
        self.step = step
        self.definition = block.definition
        self.by_name: dict[str, s.Argument] = {}
        self._named([argument for argument in step.arguments if argument.name is not None])
        open_parameters = [parameter for parameter in self.parameters if parameter.name not in self.by_name]
        positional = [argument for argument in step.arguments if argument.name is None]
        if len(positional) > len(open_parameters):
            raise self._surplus(positional[len(open_parameters)])
        for parameter, argument in zip(open_parameters, positional, strict=False):
            self.by_name[parameter.name] = argument

    def _named(self, arguments: list[s.Argument]) -> None:
        known = {parameter.name for parameter in self.parameters}
        for argument in arguments:
            name = argument.name or ""
            if name not in known:
                helps = did_you_mean(name, known) or (f"it is `{signature(self.definition)}`",)
                message = f"`{self.step.name}` has no parameter `{name}`"
                raise Finding("E103", message, argument.span, "unknown", helps=helps)
            if name in self.by_name:
                others = (Label(self.by_name[name].span, "the first"),)
                raise Finding("E106", f"`{name}` is given twice", argument.span, "the second", others=others)
            self.by_name[name] = argument

    def _surplus(self, argument: s.Argument) -> Finding:
        message = f"`{self.step.name}` takes {plural(len(self.parameters), 'argument')}"
        message += f", {len(self.step.arguments)} are given"
        helps = (f"it is `{signature(self.definition)}`",)
        return Finding("E104", message, argument.span, "one too many", helps=helps)


def signature(definition: s.BlockDefinition) -> str:
    """`bottleneck(f, stride=1)`, as it was written."""
    return definition.span.text if definition.parameters else f"{definition.name}()"


def evaluate_arguments(given: Given, caller: Scope, before: Wire | None) -> dict[str, Any]:
    """The values of the arguments that were given, by parameter.

    Raises Finding for one of the wrong kind or a missing one, Unknown where one hangs on a lost volume.
    """
    values: dict[str, Any] = {}
    for parameter in given.parameters:
        argument = given.by_name.get(parameter.name)
        if argument is None:
            if parameter.default is None:
                raise _missing(parameter, given)
            if isinstance(parameter.default, s.Reference):
                values[parameter.name] = volume_of(parameter.default, caller, before)
            continue
        is_volume = isinstance(argument.value, s.Reference)
        if is_volume != parameter.is_volume:
            raise _wrong_kind(parameter, argument, given)
        if isinstance(argument.value, s.Reference):
            values[parameter.name] = volume_of(argument.value, caller, before)
        elif not isinstance(argument.value, s.Extent | s.Short):
            values[parameter.name] = evaluate(argument.value, caller.lookup)
    return values


def volume_of(reference: s.Reference, caller: Scope, before: Wire | None) -> Wire:
    """The volume of `@name`; `@before` is what entered the previous step of the caller's chain."""
    if reference.name != "before":
        return caller.reference(reference.name, reference.span)
    if before is None:
        helps = ("it is the volume that entered the previous step: this is the first",)
        raise Finding("E108", "`@before` stands for nothing here", reference.span, helps=helps)
    return before


def instance(block: Block, frame: Frame, entry: Wire, values: dict[str, Any]) -> Scope:
    """The scope of one instance, defaults filled in."""
    definition = block.definition
    scope = Scope(block.module, frame, entry, block.labels)
    for parameter in definition.parameters:
        if parameter.is_volume:
            scope.volumes[parameter.name] = values.get(parameter.name, LOST)
            continue
        if parameter.name in values:
            scope.values[parameter.name] = values[parameter.name]
        elif isinstance(parameter.default, s.Reference) or parameter.default is None:
            raise Unknown
        else:
            scope.values[parameter.name] = evaluate(parameter.default, scope.lookup)
        scope.places[parameter.name] = parameter.span
    return scope


def call_text(step: s.CallStep, values: dict[str, Any]) -> str:
    """The call with its values: `stage(128, 4, 2)`."""
    shown = []
    for name, value in values.items():
        if isinstance(value, Block):
            shown.append(value.definition.name)
        elif isinstance(value, int | float):
            shown.append(f"{value:g}" if isinstance(value, float) else str(value))
        else:
            shown.append(f"@{name}")
    return f"{step.name}({', '.join(shown)})"


def _missing(parameter: s.Parameter, given: Given) -> Finding:
    name = given.step.name
    helps: tuple[str, ...] = (f"it is `{signature(given.definition)}`",)
    if parameter.is_volume:
        message = f"`{name}` needs a volume for `@{parameter.name}`"
        helps = (f"`{name}(..., @label)` passes the result of the line that begins `label: `", *helps)
    else:
        message = f"`{name}` needs a value for `{parameter.name}`"
    return Finding("E106", message, given.step.span, "an argument is missing", helps=helps)


def _wrong_kind(parameter: s.Parameter, argument: s.Argument, given: Given) -> Finding:
    helps = (f"it is `{signature(given.definition)}`",)
    if parameter.is_volume:
        message = f"`{given.step.name}` takes a volume for `@{parameter.name}`"
        return Finding("E105", message, argument.span, "not a volume", helps=("`@label`", *helps))
    message = f"`{given.step.name}` takes a number or a block for `{parameter.name}`"
    return Finding("E105", message, argument.span, "a volume", helps=helps)
