"""A run over lines that were not reached: values of parameters and all volumes are unknown.

In: a file's names, and the identities of the bodies and steps that an ordinary run reached. Out: the findings in the
others. Every arm of an `if` is run, a repeat once, and a call does not enter its block.
"""

from __future__ import annotations

from contextlib import suppress

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame
from archspec.language import syntax as s
from archspec.language.expressions import Lookup, Unknown, check_function, evaluate, truth
from archspec.layers.input import Input
from archspec.resolve.block_calls import find_block, given_arguments, placed
from archspec.resolve.brackets import Brackets
from archspec.resolve.declarations import Block, FileNames, Overrides, Value
from archspec.resolve.graph_builder import LOST, GraphBuilder, Point, TooLarge, Wire
from archspec.resolve.layer_names import labels_in
from archspec.resolve.layer_step import LayerSteps
from archspec.resolve.names.parts import of_argument, parts_of, unrolled
from archspec.resolve.references.results import found
from archspec.resolve.scope import Scope, StepContext
from archspec.resolve.statements import StatementRunner


def findings_beyond(names: FileNames, reached: set[int], max_steps: int) -> list[Diagnostic]:
    """Return the findings in the lines of a file, and in its `after` rules, that a run did not reach."""
    assert names.syntax is not None
    builder = _Collector(max_steps)
    brackets = Brackets(builder, names.syntax, Overrides(), None)
    layers = LayerSteps(builder, brackets, frozenset(), {})
    runner = _UnreachedRunner(builder, brackets, layers, reached)
    with suppress(TooLarge):
        runner.file(names, names.syntax)
    return builder.findings


class _Collector(GraphBuilder):
    """Collects findings, one for each code and place; there are no calls around them."""

    def __init__(self, max_steps: int) -> None:
        super().__init__(max_steps)
        self._places: set[tuple[str, Span]] = set()

    def report(self, finding: Finding, fallback: Span, frame: Frame | None) -> None:
        if (finding.code, frame) == ("E110", None):
            return  # whether there is an INPUT above is unknown
        place = finding.code, finding.span or fallback
        if place not in self._places:
            self._places.add(place)
            super().report(finding, fallback, None)


class _Scope(Scope):
    """A scope whose names have no values, except blocks."""

    def lookup(self, name: s.Name) -> Value:
        value = super().lookup(name)
        if isinstance(value, Block) and name.name not in self.file.values:
            return value
        raise Unknown


class _UnreachedRunner(StatementRunner):
    """Runs what is not in `before`, the bodies and steps that were reached."""

    def __init__(self, builder: GraphBuilder, brackets: Brackets, layers: LayerSteps, before: set[int]) -> None:
        super().__init__(builder, brackets, layers)
        self.before = before
        self.is_checked = False

    def file(self, names: FileNames, file: s.File) -> None:
        """Run a file: its network, its blocks, its `after` rules."""
        top = _scope(names, None, file.body)
        self.body(file.body, top, Point(LOST), None)
        for block in names.blocks.values():
            if block.file is names:
                self._block(block, names)
        for rule in names.after.values():
            if id(rule) not in self.before:
                self.is_checked = True
                chain = s.Chain(None, None, rule.steps, rule.span)
                self._chain(chain, StepContext(chain, None, top, LOST), Point(LOST))

    def _block(self, block: Block, names: FileNames) -> None:
        definition = block.definition
        frame = Frame(definition.name, definition.span, definition.name, 1, 1, None)
        scope = _scope(names, frame, definition.body)
        for parameter in definition.parameters:
            if parameter.is_list:
                scope.lists[parameter.name] = (LOST,)
                continue
            if parameter.is_volume:
                scope.volumes[parameter.name] = LOST
                continue
            if not isinstance(parameter.default, s.Reference | None):
                self._expression(parameter.default, scope.lookup, frame)
            scope.lost.add(parameter.name)
            scope.places[parameter.name] = parameter.span
        self.body(definition.body, scope, Point(LOST), LOST)

    # ---- lines
    def body(self, body: s.Body, scope: Scope, point: Point, entry: Wire | None) -> Point:
        outer, self.is_checked = self.is_checked, id(body) not in self.before
        try:
            return super().body(body, scope, point, entry)
        finally:
            self.is_checked = outer

    def _statement(
        self, statement: s.Statement, following: s.Statement | None, scope: Scope, point: Point, entry: Wire | None
    ) -> Point:
        if isinstance(statement, s.Let) and not self.is_checked:
            scope.lost.add(statement.name)
            scope.places[statement.name] = statement.span
            return point
        if isinstance(statement, s.Let):
            self._expression(statement.value, scope.lookup, scope.frame)
        return super()._statement(statement, following, scope, point, entry)

    def _if(self, statement: s.If, scope: Scope, point: Point, entry: Wire | None) -> Point:
        places = dict(scope.places)
        after: dict[str, Span] = {}
        for arm in statement.arms:
            if arm.condition is not None:
                self._expression(arm.condition, scope.lookup, scope.frame)
                self._condition(arm.condition, scope)
            scope.places = dict(places)
            self.body(arm.body, scope, point, entry)
            after |= scope.places
        scope.places = after
        return point

    def _aux(self, statement: s.Aux, scope: Scope, point: Point, entry: Wire | None) -> None:
        if self.is_checked:
            self._expression(statement.weight, scope.lookup, scope.frame)
        self._chain(statement.chain, StepContext(statement.chain, None, scope, entry), point)

    def _chain(self, chain: s.Chain, context: StepContext, point: Point) -> Point:
        if self.is_checked:
            return super()._chain(chain, context, point)
        for step in chain.steps:
            if isinstance(step, s.MergeStep):
                for branch in step.branches:
                    self.body(branch, context.scope, Point(LOST, None, None, LOST), LOST)
            elif isinstance(step, s.RepeatStep) and id(step.step) not in self.before:
                only = s.Chain(None, None, (step,), chain.span)
                super()._chain(only, context, Point(LOST, LOST))
        return Point(LOST, LOST)

    # ---- steps
    def _step(self, step: s.Step, context: StepContext, point: Point) -> Point:
        if isinstance(step, s.LayerStep):
            for argument in step.arguments:
                if not isinstance(argument.value, s.Name) or argument.name is not None:
                    for expression in of_argument(argument):
                        if not isinstance(expression, s.Name):
                            self._expression(expression, context.scope.lookup, context.scope.frame)
            if step.words[0].text == Input.keyword and context.scope.frame is None:
                return Point(LOST)
        return super()._step(step, context, point)

    def _repeat(self, step: s.RepeatStep, context: StepContext, point: Point) -> Point:
        self._expression(step.times, context.scope.lookup, context.scope.frame)
        if id(step.step) in self.before:
            return point.after(LOST)
        *_, inner = unrolled(step)
        return self._step(inner, context, point.after(LOST))

    def _call(self, step: s.CallStep, context: StepContext, point: Point, *_: int) -> Point:
        scope = context.scope
        for argument in step.arguments:
            for expression in of_argument(argument):
                self._expression(expression, scope.lookup, scope.frame)
            if isinstance(argument.value, s.Reference) and argument.value.name not in scope.lists:
                found(argument.value, scope, Point(LOST, LOST))
        block = find_block(step, scope)
        given_arguments(block.definition, step, lambda: placed(scope, point))
        return point.lost()

    def _condition(self, condition: s.Expression, scope: Scope) -> None:
        try:
            truth(condition, scope.lookup)
        except Unknown:
            pass
        except Finding as finding:
            self.builder.report(finding, condition.span, scope.frame)

    def _expression(self, expression: s.Expression, lookup: Lookup, frame: Frame | None) -> None:
        """Report what is wrong in an expression, whatever its names stand for."""
        for part in parts_of(expression):
            try:
                if isinstance(part, s.Name):
                    lookup(part)
                elif isinstance(part, s.Function):
                    check_function(part)
            except Unknown:
                pass
            except Finding as finding:
                self.builder.report(finding, part.span, frame)
                return
        try:
            evaluate(expression, lookup)
        except Unknown:
            pass
        except Finding as finding:
            self.builder.report(finding, expression.span, frame)


def _scope(names: FileNames, frame: Frame | None, body: s.Body) -> _Scope:
    labels = labels_in(body)
    scope = _Scope(names, frame, None if frame is None else LOST, labels)
    scope.volumes = dict.fromkeys((*labels, "input") if frame is None else labels, LOST)
    return scope
