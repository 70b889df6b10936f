"""Runs a step that is a layer: binds it, places it, adds what `after` says, and notes what a slide claims of it.

In: a layer step and the flow. Out: the flow behind it.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, number
from archspec.layers import Layer
from archspec.layers.input import Input
from archspec.record import Record, replace
from archspec.resolve.bind import Binder
from archspec.resolve.brackets import Brackets
from archspec.resolve.builder import GraphBuilder, Origin
from archspec.resolve.flow import Around, Flow, Overrides, no_input
from archspec.resolve.scope import LOST, Scope, Wire
from archspec.resolve.volume_claims import claimed
from archspec.resolve.words import Named, name_layer


class PendingClaim(Record):
    """What a slide says of a layer's memory or parameters; checked when the graph is whole."""

    claim: s.Claim
    value: int | float
    figure: int | float | None
    node: int
    path: str


class LayerSteps:
    """Runs layer steps into one builder.

    `heads` holds the ordinals of the classifiers' weight layers (the last of the trunk and of each `aux`), once a
    first run has found them: `after` adds nothing there, and --classes sets their outputs.
    """

    def __init__(
        self, builder: GraphBuilder, brackets: Brackets, overrides: Overrides, heads: frozenset[int] = frozenset()
    ) -> None:
        self.builder = builder
        self.brackets = brackets
        self.overrides = overrides
        self.heads = heads
        self.claims: list[PendingClaim] = []
        self.last_weight: dict[int, int] = {}  # by head, 0 for the trunk
        self._weights = 0
        self._names: dict[int, Named] = {}  # by the step's identity; the file outlives the run
        self._fixed: dict[int, Layer] = {}

    def run(self, step: s.LayerStep, around: Around, flow: Flow) -> Flow:
        """Run one step. Raises Finding for a step that is wrong."""
        scope = around.scope
        named = self._name(step)
        label = flow.label or named.label
        if named.layer is Input:
            return self._input(step, around.chain, scope, flow)
        if flow.current is None:
            raise no_input(step.span)
        ordinal = self._ordinal(named.layer)
        layer = self._bind(step, named, around)
        if ordinal in self.heads and self.overrides.classes and layer.outputs:
            layer = replace(layer, **{layer.outputs: self.overrides.classes})
        wire = self._place(layer, label, step, scope, flow)
        if step.bracket is not None:
            wire = self.brackets.inside(step.bracket, scope, wire) or LOST
        if isinstance(wire, Node):
            self._note_claims(step, scope, wire)
        flow = flow.after(wire)
        rule = scope.module.after.get(type(layer))
        if rule and ordinal not in self.heads and not layer.is_marked_linear:
            return flow if _normalises(around.following) else self._implied(rule, scope, flow)
        return flow

    def _name(self, step: s.LayerStep) -> Named:
        """The layer that a step names; worked out once, however often a block with it is called."""
        named = self._names.get(id(step))
        if named is None:
            named = self._names[id(step)] = name_layer(step)
        return named

    def _bind(self, step: s.LayerStep, named: Named, around: Around) -> Layer:
        """The layer with its arguments; one that names no value is the same in every instance."""
        layer = self._fixed.get(id(step))
        if layer is None:
            fields = self._fields(named, step, around.chain, around.scope)
            try:
                layer = Binder(named.layer, step, around.scope.lookup, fields).bind()
            except Finding as finding:
                raise _missing_arrow(step, around.scope) or finding from None
            if fields is named.fields and _names_nothing(step, named.layer):
                self._fixed[id(step)] = layer
        return layer

    def _ordinal(self, layer: type[Layer]) -> int:
        if not layer.is_weight_layer:
            return 0
        self._weights += 1
        self.last_weight[self.builder.head] = self._weights
        return self._weights

    def _fields(self, named: Named, step: s.LayerStep, chain: s.Chain, scope: Scope) -> dict[str, Any]:
        """The fields of a shorthand; and of an FC without a number, what its bracket says."""
        bracket = step.bracket or (None if self.brackets.receives else chain.bracket)
        field = named.layer.outputs
        if not named.layer.sized_by_bracket or bracket is None or field in named.fields:
            return named.fields
        if any(argument.name in (None, field) and not _is_word(argument, scope) for argument in step.arguments):
            return named.fields
        return {**named.fields, field: claimed(bracket, scope.lookup).channels}

    def _place(self, layer: Layer, label: str | None, step: s.LayerStep, scope: Scope, flow: Flow) -> Wire:
        if label:
            name = scope.label(label, step.words[-1].span)
            scope.count_label(layer.kind)
        else:
            name = scope.number(layer.kind)
        current = LOST if flow.current is None else flow.current
        wire = self._add(layer, current, Origin(name, scope.frame, step.span))
        if label:
            scope.volumes[label] = wire
        return wire

    def _add(self, layer: Layer, current: Wire, origin: Origin) -> Wire:
        try:
            return self.builder.add(layer, (current,), origin)
        except Finding as finding:
            if self.brackets.doubts(finding):
                return LOST
            raise

    def _implied(self, rule: s.After, scope: Scope, flow: Flow) -> Flow:
        for step in rule.steps:
            if not isinstance(step, s.LayerStep):
                raise Finding("E105", "`after` adds layers only", step.span, helps=("`after CONV: BN -> RELU`",))
            named = name_layer(step)
            layer = Binder(named.layer, step, scope.lookup, named.fields).bind()
            current = flow.current or LOST
            origin = Origin(scope.number(layer.kind), scope.frame, step.span, implied=True)
            flow = flow.after(self._add(layer, current, origin))
        return flow

    def _input(self, step: s.LayerStep, chain: s.Chain, scope: Scope, flow: Flow) -> Flow:
        if scope.frame is not None or flow.current is not None:
            message = "INPUT inside a block" if scope.frame else "a second INPUT"
            helps = ("a network has one, in its first line",)
            raise Finding("E110", message, step.span, helps=helps)
        bracket = step.bracket or chain.bracket
        if bracket is None:
            raise Finding("E106", "INPUT does not say its volume", step.span, helps=("`[224x224x3] INPUT`",))
        try:
            volume = Volume(self.overrides.input) if self.overrides.input else claimed(bracket, scope.lookup)
        except Unknown:
            return Flow(LOST)
        name = flow.label or "input"
        scope.places[name] = step.span
        node = self.builder.place(Input(), (), volume, Origin(name, None, step.span))
        scope.volumes[name] = node
        self._note_claims(step, scope, node)
        return Flow(node)

    def _note_claims(self, step: s.LayerStep, scope: Scope, node: Node) -> None:
        for claim in step.claims:
            value = _measure(claim.value, scope)
            figure = None if claim.figure is None else _measure(claim.figure, scope)
            self.claims.append(PendingClaim(claim, value, figure, node.index, scope.path))


def _measure(value: s.Expression | s.Figure, scope: Scope) -> int | float:
    return value.value if isinstance(value, s.Figure) else number(value, scope.lookup)


def _is_word(argument: s.Argument, scope: Scope) -> bool:
    """Whether it is a word of the layer or of the slide, and no name of a value."""
    return isinstance(argument.value, s.Name) and not scope.has(argument.value.name)


def _names_nothing(step: s.LayerStep, layer: type[Layer]) -> bool:
    """Whether the arguments are the same wherever the step stands: numbers, sizes, and words of the layer itself."""
    return all(_is_literal(argument.value, layer) for argument in step.arguments)


def _missing_arrow(step: s.LayerStep, scope: Scope) -> Finding | None:
    """A call of a block among the arguments is the next step, its arrow forgotten."""
    for argument in step.arguments:
        if isinstance(argument.value, s.Function) and argument.value.name in scope.module.blocks:
            call = argument.value.span
            before = call.source.text[step.span.start : call.start].rstrip()
            helps = (f"`{before} -> {call.text}`",)
            return Finding("E006", f"`->` is missing before `{call.text}`", call, "a second step", helps=helps)
    return None


def _is_literal(value: object, layer: type[Layer]) -> bool:
    if isinstance(value, s.Extent):
        return all(isinstance(size, s.Number) for size in value.sizes)
    return isinstance(value, s.Number | s.Short) or (isinstance(value, s.Name) and value.name in layer.words)


def _normalises(step: s.Step | None) -> bool:
    """Whether the next written step is a normalisation or an activation."""
    if not isinstance(step, s.LayerStep):
        return False
    try:
        return name_layer(step).layer.role != ""
    except Finding:
        return False
