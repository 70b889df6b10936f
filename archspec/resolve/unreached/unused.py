"""Names that are defined and never referred to: parameters, `let`s, parameters of blocks, `init` of absent layers.

In: the syntax of a file. Out: warnings, each with the edit that drops the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help, Label
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.resolve.changes.parameters import without_binding
from archspec.resolve.layer_names import name_layer
from archspec.resolve.names.lines import dropped, without_word
from archspec.resolve.names.parts import (
    called_names,
    expressions_in,
    names_in,
    of_argument,
    statements_in,
    steps_in,
    volume_names,
)
from archspec.resolve.names.renaming import bodies_of


def unused_names(file: s.File) -> list[Diagnostic]:
    """Return a warning for each name that is defined and never used."""
    blocks = [node for node in file.declarations if isinstance(node, s.BlockDefinition)]
    found = [*_lets(file.body)]
    outside = _names_of_declarations(file)
    inside = [_names_of(body) for body in bodies_of(file)]
    used = outside.union(*inside)
    found += _params(file, used)
    passed = outside.union(*(_values_of(body) for body in bodies_of(file)))
    calls: dict[str, list[s.CallStep]] = {}
    for body in bodies_of(file):
        for step in steps_in(body):
            if isinstance(step, s.CallStep):
                calls.setdefault(step.name, []).append(step)
    for node, names in zip(blocks, inside[1:], strict=True):
        found += _lets(node.body)
        if node.name in calls and node.name not in passed:  # otherwise others say what it takes
            found += _parameters(node, names, calls[node.name])
    return sorted(found, key=lambda finding: finding.span.start if finding.span else 0)


def unused_inits(file: s.File, rules: Mapping[type[Layer], s.Init]) -> list[Diagnostic]:
    """Return a warning for each layer of an `init` line that the file does not contain."""
    steps = [step for body in bodies_of(file) for step in steps_in(body)]
    steps += [step for node in file.declarations if isinstance(node, s.After) for step in node.steps]
    written = {_layer_of(step) for step in steps if isinstance(step, s.LayerStep)}
    found = []
    for node in dict.fromkeys(rules.values()):
        for place, word in enumerate(node.words):
            layer = _layer_of(s.LayerStep((word,), True, (), None, (), word.span))
            if layer is not None and layer not in written:
                edit = without_word(node.words, place) if len(node.words) > 1 else dropped(node.span)
                found.append(
                    _warning(f"`init {word.text}`: this file has no {layer.keyword}", word.text, word.span, edit)
                )
    return found


def _layer_of(step: s.LayerStep) -> type[Layer] | None:
    try:
        return name_layer(step).layer
    except Finding:  # of a step that is not reached
        return None


def _names_of(body: s.Body) -> set[str]:
    """Return the names that a body refers to: of values, blocks and volumes."""
    return _values_of(body) | called_names(body) | volume_names(body)


def _values_of(body: s.Body) -> set[str]:
    return {name.name for name in names_in(expressions_in(body))}


def _names_of_declarations(file: s.File) -> set[str]:
    found: set[str] = set()
    for node in file.declarations:
        if isinstance(node, s.Param | s.Init):
            found |= {name.name for name in names_in([node.value])}
        elif isinstance(node, s.Variant):
            found |= {name.name for name in names_in(binding.value for binding in node.bindings)}
        elif isinstance(node, s.BlockDefinition):
            found |= {name.name for name in names_in(_defaults(node))}
        elif isinstance(node, s.After):
            steps = [step for step in node.steps if isinstance(step, s.LayerStep)]
            found |= {name.name for name in names_in(e for x in steps for one in x.arguments for e in of_argument(one))}
    return found


def _defaults(node: s.BlockDefinition) -> Iterator[s.Expression]:
    for parameter in node.parameters:
        if parameter.default is not None and not isinstance(parameter.default, s.Reference):
            yield parameter.default


def _warning(message: str, name: str, span: Span, *edits: Edit) -> Diagnostic:
    at = Span(span.source, span.start, span.start + len(name))
    return Diagnostic("W101", f"unused {message}", (Label(at, "never used"),), (), (Help("drop it", *edits),))


def _lets(body: s.Body) -> Iterator[Diagnostic]:
    lets = [one for one in statements_in(body) if isinstance(one, s.Let)]
    if lets:
        used = _names_of(body)
        yield from (
            _warning(f"`let {one.name}`", one.name, one.span, dropped(one.span)) for one in lets if one.name not in used
        )


def _params(file: s.File, used: set[str]) -> Iterator[Diagnostic]:
    """Yield warnings for parameters of the file; that a variant sets one is no use of it."""
    variants = [node for node in file.declarations if isinstance(node, s.Variant)]
    for node in file.declarations:
        if isinstance(node, s.Param) and node.name not in used:
            edits = [edit for variant in variants for edit in without_binding(variant, node.name)]
            yield _warning(f"parameter `{node.name}`", node.name, node.span, dropped(node.span), *edits)


def _parameters(node: s.BlockDefinition, names: set[str], calls: list[s.CallStep]) -> Iterator[Diagnostic]:
    """Yield warnings for the parameters of a block that is called."""
    own = names | {name.name for name in names_in(_defaults(node))}
    for parameter in node.parameters:
        if parameter.name not in own:
            edits = [_without(node, parameter), *(_without_argument(node, parameter, step) for step in calls)]
            start = parameter.span.start + parameter.is_volume
            span = Span(parameter.span.source, start, parameter.span.end)
            found = [edit for edit in edits if edit is not None]
            yield _warning(f"parameter `{parameter.name}` of `{node.name}`", parameter.name, span, *found)


def _without(node: s.BlockDefinition, parameter: s.Parameter) -> Edit:
    kept = ", ".join(one.span.text for one in node.parameters if one is not parameter)
    return Edit(node.span, f"{node.name}({kept})")


def _without_argument(node: s.BlockDefinition, parameter: s.Parameter, step: s.CallStep) -> Edit | None:
    more = node.parameters[-1].name if node.parameters[-1].is_list else ""
    free = [one.name for one in node.parameters if not one.is_list]
    kept = []
    for argument in step.arguments:
        name = argument.name or (free[0] if free else more)
        if name != more:
            free.remove(name)
        if name != parameter.name:
            kept.append(argument.span.text)
    if len(kept) == len(step.arguments):
        return None
    return Edit(step.span, f"{step.name}({', '.join(kept)})")
