"""One layer step from beginning to end: its name, its arguments, its volume, its claims, and what `after` adds.

In: a layer step and the point of the chain before it. Out: the point after it.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import ArchspecError, Finding
from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Node
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, number
from archspec.language.parse import parse
from archspec.language.transform import missing_arrow
from archspec.layers import Layer
from archspec.layers.input import Input
from archspec.record import Record, replace
from archspec.resolve.argument_binding import ArgumentBinder
from archspec.resolve.brackets import Brackets
from archspec.resolve.declarations import Overrides
from archspec.resolve.graph_builder import LOST, GraphBuilder, Origin, Point, Wire
from archspec.resolve.layer_names import NamedLayer, lower_case_names, name_layer
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

    `heads` are the ordinals of the classifiers' weight layers (the last of the trunk and of each `aux`), once a
    first run has found them: `after` adds nothing there, and --classes sets their outputs.
    """

    def __init__(self, builder: GraphBuilder, brackets: Brackets, overrides: Overrides, heads: frozenset[int]) -> None:
        self.builder = builder
        self.brackets = brackets
        self.overrides = overrides
        self.heads = heads
        self.claims: list[PendingClaim] = []
        self.last_weight: dict[int, int] = {}  # by head, 0 for the trunk
        self._weights = 0
        self._names: dict[tuple[str, bool], NamedLayer] = {}  # by a single word, and whether arguments follow
        self._fixed: dict[str, Layer] = {}  # by the step's text

    def run(self, step: s.LayerStep, context: StepContext, point: Point) -> Point:
        """Run one step. Raises Finding for an invalid step."""
        named = self._name(step)
        label = context.label or named.label
        if named.layer is Input:
            return Point(self._input(step, context, point))
        if point.current is None:
            raise no_input(step.span)
        is_head = self._is_head(named.layer)
        layer = self._bind(step, named, context)
        if is_head and self.overrides.classes and layer.outputs:
            layer = replace(layer, **{layer.outputs: self.overrides.classes})
        wire = self._grow(layer, label, step, context.scope, point.current)
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
            try:
                layer = ArgumentBinder(named.layer, step, scope.lookup, fields).bind()
            except Finding as finding:
                raise _missing_arrow(step, scope) or finding from None
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
    def _grow(self, layer: Layer, label: str | None, step: s.LayerStep, scope: Scope, current: Wire) -> Wire:
        """Add the layer to the graph; if its volume is lost, the bracket after it restores it."""
        if label:
            name = scope.label(label, step.words[-1].span)
            scope.count_label(layer.kind)
        else:
            name = scope.number(layer.kind)
        wire = self._add(layer, current, Origin(name, scope.frame, step.span))
        if label:
            scope.volumes[label] = wire
        return wire if step.bracket is None else self.brackets.inside(step.bracket, scope, wire) or LOST

    def _add(self, layer: Layer, current: Wire, origin: Origin) -> Wire:
        try:
            return self.builder.add(layer, (current,), origin)
        except Finding as finding:
            if self.brackets.doubts(finding):
                return LOST
            raise

    def _input(self, step: s.LayerStep, context: StepContext, point: Point) -> Wire:
        """Add the network's input."""
        scope = context.scope
        if scope.frame is not None or point.current is not None:
            message = "INPUT inside a block" if scope.frame else "a second INPUT"
            helps = ("a network has one INPUT, on its first line",)
            raise Finding("E110", message, step.span, helps=helps)
        bracket = step.bracket or context.chain.bracket
        if bracket is None:
            raise Finding("E106", "INPUT needs a volume", step.span, helps=("`[224x224x3] INPUT`",))
        volume = self.brackets.input_volume(bracket, scope)
        if volume is None:
            return LOST
        name = context.label or "input"
        scope.places[name] = step.span
        node = self.builder.place(Input(), (), volume, Origin(name, None, step.span))
        scope.volumes[name] = node
        self._note_claims(step, scope, node)
        return node

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
        if rule is None or layer.is_marked_linear or _has_a_role(context.following):
            return point
        for step in rule.steps:
            if not isinstance(step, s.LayerStep):
                raise Finding("E105", "`after` can only add layers", step.span, helps=("`after CONV: BN -> RELU`",))
            self.builder.step(step.span)
            added = self._bind(step, self._name(step), context)
            origin = Origin(scope.number(added.kind), scope.frame, step.span, implied=True)
            point = point.after(self._add(added, point.current or LOST, origin))
        return point


def no_input(span: Span) -> Finding:
    """Return the finding for a step before the network's input."""
    helps = ("begin with the input: `[224x224x3] INPUT`",)
    return Finding("E110", "no INPUT before this line", span, "has no input", helps=helps)


def layer_from_text(text: str) -> Layer:
    """Return the layer that a step describes, without a network around it: `CONV 8 3x3 same`.

    Raises ArchspecError if the text is not a layer step.
    """
    file, findings = parse(Source("<layer>", text), lower_case_names())
    if findings:
        raise ArchspecError(findings)
    (chain,) = file.body
    assert isinstance(chain, s.Chain)
    (step,) = chain.steps
    assert isinstance(step, s.LayerStep)
    named = name_layer(step)
    return ArgumentBinder(named.layer, step, _no_names, named.fields).bind()


def _no_names(name: s.Name) -> Any:
    raise Finding("E101", f"undefined name `{name.name}`", name.span, "unknown")


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


def _missing_arrow(step: s.LayerStep, scope: Scope) -> Finding | None:
    """Report a block call among the arguments: it is the next step, without its arrow."""
    for argument in step.arguments:
        if isinstance(argument.value, s.Function) and argument.value.name in scope.file.blocks:
            call = argument.value.span
            return missing_arrow(Span(call.source, step.span.start, call.start), s.Word(call.text, call))
    return None


def _has_a_role(step: s.Step | None) -> bool:
    """Whether a step is a normalisation or an activation."""
    if not isinstance(step, s.LayerStep):
        return False
    try:
        return name_layer(step).layer.role != ""
    except Finding:
        return False
