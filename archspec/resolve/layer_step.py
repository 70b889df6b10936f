"""One layer step from beginning to end: its name, its arguments, its volume, its claims, and what `after` adds.

In: a layer step and the point of the chain before it. Out: the point after it.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Span
from archspec.graph.ir import Node
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, number
from archspec.layers import Layer
from archspec.layers.input import Input
from archspec.record import Record, replace
from archspec.resolve.argument_binding import ArgumentBinder
from archspec.resolve.brackets import Brackets
from archspec.resolve.graph_builder import LOST, GraphBuilder, Origin, Point, Wire
from archspec.resolve.layer_names import NamedLayer, has_a_role, name_layer
from archspec.resolve.scope import Scope, StepContext


class PendingClaim(Record):
    """A slide's claim about a layer's memory or parameters; checked when the graph is complete."""

    claim: s.Claim
    value: int | float
    figure: int | float | None
    node: int
    path: str


class LayerSteps:
    """Run layer steps, adding their nodes to one builder.

    `heads` are the ordinals of the classifiers' last weight layers (of the trunk and of each `aux`), to which `after`
    adds nothing; `sizes` are the outputs that --classes sets, by the names of layers. A first run has found both.
    """

    def __init__(self, builder: GraphBuilder, brackets: Brackets, heads: frozenset[int], sizes: dict[str, int]) -> None:
        self.builder = builder
        self.brackets = brackets
        self.heads, self.sizes = heads, sizes
        self.claims: list[PendingClaim] = []
        self.last_weight: dict[int, int] = {}  # by head, 0 for the trunk
        self.rules: set[int] = set()  # the `after` rules that were applied, by identity
        self._weights = 0
        self._names: dict[tuple[str, bool], NamedLayer] = {}  # by a single word, and whether arguments follow
        self._fixed: dict[str, Layer] = {}  # by the step's text

    def run(self, step: s.LayerStep, context: StepContext, point: Point) -> Point:
        """Run one step. Raises Finding for an invalid step."""
        try:
            named = self._name(step)
        except Finding as finding:
            raise self._refused(finding, step, None, context, point.current) from None
        label = context.label or named.label
        if named.layer is Input:
            return Point(self._input(step, context, point))
        if point.current is None:
            raise no_input(step.span)
        is_head = self._is_head(named.layer)
        try:
            layer = self._bind(step, named, context)
            inputs: tuple[Wire, ...] = (point.current,)
            if step.reads_labels:
                from archspec.resolve.references.layer_arguments import given  # few layers are given volumes

                inputs += given(layer, step, context.scope, point, self.builder)
            wire = self._grow(layer, label, step, context.scope, inputs)
        except Finding as finding:
            raise self._refused(finding, step, named, context, point.current) from None
        self._note_claims(step, context.scope, wire)
        point = point.after(wire)
        return point if is_head else self._implied(layer, context, point)

    # ---- which layer
    def _name(self, step: s.LayerStep) -> NamedLayer:
        """Return the layer that a step names; looked up once, however often it is written."""
        if len(step.words) > 1:
            return name_layer(step)
        key = step.words[0].text, bool(step.arguments)
        named = self._names.get(key)
        if named is None:
            named = self._names[key] = name_layer(step)
        return named

    def _refused(
        self, finding: Finding, step: s.LayerStep, named: NamedLayer | None, context: StepContext, current: Wire | None
    ) -> Finding:
        """Return a finding with what to write instead of the step. Raises Unknown if its cause was reported before."""
        from archspec.resolve.helps import refusal, surroundings  # correct specs need none

        if self.brackets.has_more_axes and refusal.has_depth(step):
            raise Unknown
        bracket = self.brackets.of_result(step, context.chain)
        around = surroundings.of(current, bracket, self.builder.nodes, self.brackets.file)
        return refusal.of(finding, step, named, context.scope, around)

    def _is_head(self, layer: type[Layer]) -> bool:
        """Count a weight layer; return whether it is the last one of a classifier."""
        if not layer.is_weight_layer:
            return False
        self._weights += 1
        self.last_weight[self.builder.head] = self._weights
        return self._weights in self.heads

    # ---- its arguments
    def _bind(self, step: s.LayerStep, named: NamedLayer, context: StepContext) -> Layer:
        """Return the layer with its arguments; if they are all literals, it is the same in every instance."""
        text = step.span.text
        layer = self._fixed.get(text)
        if layer is None:
            scope = context.scope
            fields = self._fields(named, step, context)
            layer = ArgumentBinder(named.layer, step, scope.lookup, fields).bind()
            if fields is named.fields and all(_is_literal(argument.value, named.layer) for argument in step.arguments):
                self._fixed[text] = layer
        return layer

    def _fields(self, named: NamedLayer, step: s.LayerStep, context: StepContext) -> dict[str, Any]:
        """Return the fields of a shorthand, and for an FC without a number the channels in its bracket."""
        field = named.layer.outputs
        if not named.layer.sized_by_bracket or field in named.fields:
            return named.fields
        scope = context.scope
        bracket = self.brackets.of_result(step, context.chain)
        if bracket is None or any(_sets(argument, field, scope) for argument in step.arguments):
            return named.fields
        volume = self.brackets.volume(bracket, scope)
        if volume is None:
            raise Unknown
        return {**named.fields, field: volume.channels}

    # ---- its volume
    def _grow(self, layer: Layer, label: str | None, step: s.LayerStep, scope: Scope, inputs: tuple[Wire, ...]) -> Wire:
        """Add the layer to the graph; if its volume is lost, the bracket after it restores it."""
        if label:
            name = scope.label(label, step.words[-1].span)
            scope.count_label(layer.kind)
        else:
            name = scope.number(layer.kind)
        if name in self.sizes:
            layer = replace(layer, **{layer.outputs: self.sizes[name]})
        wire = self._add(layer, inputs, Origin(name, scope.frame, step.span))
        if label:
            scope.volumes[label] = wire
        return wire if step.bracket is None else self.brackets.inside(step.bracket, scope, wire) or LOST

    def _add(self, layer: Layer, inputs: tuple[Wire, ...], origin: Origin) -> Wire:
        try:
            return self.builder.add(layer, inputs, origin)
        except Finding as finding:
            if self.brackets.doubts(finding):
                return LOST
            raise

    def _input(self, step: s.LayerStep, context: StepContext, point: Point) -> Wire:
        """Add an input of the network."""
        scope = context.scope
        if scope.frame is not None or point.current is not None:
            from archspec.resolve.ends.inputs import begin  # most networks have one

            begin(step, context, self.builder)
        name = context.label or "input"
        volume = self.brackets.input_volume(self.brackets.of_input(step, context.chain), scope, name)
        scope.places[name] = step.span
        if volume is None:
            return LOST
        has_tokens = False
        if step.arguments:
            from archspec.resolve.ends.inputs import is_of_tokens  # an image has none

            has_tokens = is_of_tokens(step, context)
        node = self.builder.place(Input(tokens=has_tokens), (), volume, Origin(name, None, step.span))
        scope.volumes[name] = node
        self._note_claims(step, scope, node)
        return node

    def merge(
        self, layer: Layer, wires: tuple[Wire, ...], step: s.MergeStep, origin: Origin, context: StepContext
    ) -> Wire:
        """Add a merge of branches to the graph."""
        try:
            return self.builder.add(layer, wires, origin)
        except Finding as finding:
            from archspec.resolve.helps.branches.fixes import mismatch  # correct specs need none

            raise mismatch(finding, wires, step, self.brackets, context) from None

    # ---- what is claimed of it
    def _note_claims(self, step: s.LayerStep, scope: Scope, wire: Wire) -> None:
        if not isinstance(wire, Node):
            return
        for claim in step.claims:
            value = _measure(claim.value, scope)
            figure = None if claim.figure is None else _measure(claim.figure, scope)
            self.claims.append(PendingClaim(claim, value, figure, wire.index, scope.path))

    # ---- what `after` adds
    def _implied(self, layer: Layer, context: StepContext, point: Point) -> Point:
        scope = context.scope
        rule = scope.file.after.get(type(layer))
        if rule is None or layer.is_marked_linear or has_a_role(context.following):
            return point
        self.rules.add(id(rule))
        for step in rule.steps:
            assert isinstance(step, s.LayerStep)  # so it was declared
            self.builder.step(step.span)
            named = self._name(step)
            try:
                added = self._bind(step, named, context)
                origin = Origin(scope.number(added.kind), scope.frame, step.span, implied=True)
                point = point.after(self._add(added, (point.current or LOST,), origin))
            except Finding as finding:
                raise self._refused(finding, step, named, context, point.current) from None
        return point


def no_input(span: Span) -> Finding:
    """Return the finding for a step before the network's input."""
    from archspec.resolve.helps.input_step import missing  # correct specs need none

    return missing(span)


def _measure(value: s.Expression | s.Figure, scope: Scope) -> int | float:
    return value.value if isinstance(value, s.Figure) else number(value, scope.lookup)


def _sets(argument: s.GivenArgument, field: str, scope: Scope) -> bool:
    """Whether an argument sets the field: by its name, or as a value that is not a bare word."""
    if argument.name is not None:
        return argument.name == field
    return not isinstance(argument.value, s.Name) or scope.has(argument.value.name)


def _is_literal(value: object, layer: type[Layer]) -> bool:
    """Whether a value is the same everywhere: a number, a size, or one of the layer's own words."""
    if isinstance(value, s.Extent):
        return all(isinstance(size, s.Number) for size in value.sizes)
    return isinstance(value, s.Number | s.Short) or (isinstance(value, s.Name) and value.name in layer.words)
