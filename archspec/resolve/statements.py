"""Runs the lines of a spec one after the other, adding to the graph.

In: syntax and a scope. Out: nodes, through the builder. An invalid step is reported and its volume is lost; what
follows is skipped without a message until a bracket states a volume again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from archspec.diagnostics.errors import Finding
from archspec.graph.ir import Frame, Head, Node
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate, number, truth
from archspec.layers import MERGES
from archspec.record import replace
from archspec.resolve.brackets import Brackets
from archspec.resolve.graph_builder import LONG, LOST, GraphBuilder, Origin, Point, Wire
from archspec.resolve.layer_step import LayerSteps, no_input
from archspec.resolve.scope import Scope, StepContext

MAX_NESTING = 64


class StatementRunner:
    """Run bodies, adding their nodes to one builder."""

    def __init__(self, builder: GraphBuilder, brackets: Brackets, layers: LayerSteps) -> None:
        self.builder = builder
        self.brackets = brackets
        self.layers = layers
        self.nesting = 0
        self.met: set[int] = set()  # the arms and repeated steps that were met, by identity ...
        self.reached: set[int] = set()  # ... and those of them that were run, and all bodies that were

    # ---- lines
    def body(self, body: s.Body, scope: Scope, point: Point, entry: Wire | None) -> Point:
        """Run lines one after the other; `entry` is the volume of `x` in them."""
        self.reached.add(id(body))
        for position, statement in enumerate(body):
            try:
                following = body[position + 1] if position + 1 < len(body) else None
                point = self._statement(statement, following, scope, point, entry)
            except (Finding, Unknown) as wrong:
                if isinstance(wrong, Finding):
                    self.builder.report(wrong, statement.span, scope.frame)
                if isinstance(statement, s.Let):
                    scope.lost.add(statement.name)
                else:
                    point = point.lost()
        return point

    def _statement(
        self, statement: s.Statement, following: s.Statement | None, scope: Scope, point: Point, entry: Wire | None
    ) -> Point:
        if isinstance(statement, s.Chain):
            return self._chain(statement, StepContext(statement, _first_step(following), scope, entry), point)
        if isinstance(statement, s.If):
            return self._if(statement, scope, point, entry)
        self.builder.step(statement.span)
        if isinstance(statement, s.Aux):
            self._aux(statement, scope, point, entry)
            return point
        scope.let(statement.name, evaluate(statement.value, scope.lookup), statement.span)
        return point

    def _if(self, statement: s.If, scope: Scope, point: Point, entry: Wire | None) -> Point:
        self.met.update([id(arm.body) for arm in statement.arms])
        for arm in statement.arms:
            self.builder.step(arm.span)
            if arm.condition is None or truth(arm.condition, scope.lookup):
                return self.body(arm.body, scope, point, entry)
        return point

    def _aux(self, statement: s.Aux, scope: Scope, point: Point, entry: Wire | None) -> None:
        weight = number(statement.weight, scope.lookup)
        if weight <= 0:
            raise _findings().no_weight(weight, statement.weight.span)
        outer, self.builder.head = self.builder.head, len(self.builder.heads) + 1
        number_ = self.builder.head
        self.builder.heads.append(Head(float(weight), -1, number_))
        self.builder.open_heads.append(number_)
        try:
            end = self._chain(statement.chain, StepContext(statement.chain, None, scope, entry), point).current
        finally:
            self.builder.head = outer
            self.builder.open_heads.pop()
        if isinstance(end, Node) and end.head != number_:
            raise _findings().empty_aux(statement)
        if isinstance(end, Node):
            self.builder.heads[number_ - 1] = Head(float(weight), end.index, number_)

    def _chain(self, chain: s.Chain, context: StepContext, point: Point) -> Point:
        scope = context.scope
        if chain.bracket is not None:
            self.builder.step(chain.bracket.span, 0)
        point = self.brackets.at_start(chain, scope, point)
        start = point.current
        for position, step in enumerate(chain.steps):
            if isinstance(step, s.Bracket):
                self.builder.step(step.span)
                point = Point(self.brackets.inside(step, scope, point.current), point.before, point.results)
                continue
            is_last = position == len(chain.steps) - 1
            following = context.following if is_last else chain.step_after(position)
            label = chain.label if is_last else None
            try:
                if position and isinstance(step, s.EntryStep | s.ReferenceStep):
                    raise _findings().in_the_middle(step)
                point = self._step(step, StepContext(chain, following, scope, context.entry, label), point)
            except (Finding, Unknown) as wrong:
                if isinstance(wrong, Finding):
                    self.builder.report(wrong, step.span, scope.frame)
                point = point.lost()
        point = self.brackets.at_end(chain, scope, point, start)
        if chain.label and point.current is not None:
            scope.volumes[chain.label] = point.current
            if point.results is not None and any(isinstance(step, s.CallStep | s.RepeatStep) for step in chain.steps):
                scope.results[chain.label] = point.results
        if chain.is_output:
            from archspec.resolve.ends.outputs import leave  # most specs have one output, their last line

            leave(chain, context, point.current, self.builder)
        return point

    # ---- steps
    def _step(self, step: s.Step, context: StepContext, point: Point) -> Point:
        self.builder.step(step.span)
        if isinstance(step, s.LayerStep):
            return self.layers.run(step, context, point)
        if isinstance(step, s.UnreadStep):
            return point.after(LOST)
        if isinstance(step, s.EntryStep):
            if context.entry is None:
                raise _findings().entry_at_the_top(step.span)
            return Point(context.entry, point.current)
        if isinstance(step, s.ReferenceStep):
            return self._reference(step, context.scope, point)
        if point.current is None:
            raise no_input(step.span)
        if isinstance(step, s.RepeatStep):
            return self._repeat(step, context, point)
        with self._one_deeper(step):
            if isinstance(step, s.CallStep):
                return self._call(step, context, point, 1, 1)
            return self._merge(step, context, point)

    def _reference(self, step: s.ReferenceStep, scope: Scope, point: Point) -> Point:
        """Go on from `@name`, with the results of its call."""
        wire, results = scope.volumes.get(step.name), scope.results.get(step.name)
        if wire is None:
            from archspec.resolve.references.results import found  # few specs need it

            wire, results = found(step, scope, point)
        return Point(self.builder.visible(wire, step.span), point.current, results, None)

    @contextmanager
    def _one_deeper(self, step: s.Step) -> Iterator[None]:
        self.nesting += 1
        try:
            if self.nesting > MAX_NESTING:
                raise _findings().too_deep(step.span, step, MAX_NESTING)
            yield
        finally:
            self.nesting -= 1

    def _repeat(self, step: s.RepeatStep, context: StepContext, point: Point) -> Point:
        self.met.add(id(step.step))
        times = number(step.times, context.scope.lookup)
        if times < 0 or times != int(times):
            raise _findings().no_count(times, step.times)
        self.builder.step(step.span, int(times))
        context = replace(context, label=None)
        if times:
            self.reached.add(id(step.step))
        for ordinal in range(1, int(times) + 1):
            if isinstance(step.step, s.CallStep):
                self.builder.step(step.step.span)
                with self._one_deeper(step):
                    point = self._call(step.step, context, point, ordinal, int(times))
            else:
                point = self._step(step.step, context, point)
        return point

    def _call(self, step: s.CallStep, context: StepContext, point: Point, ordinal: int, times: int) -> Point:
        from archspec.resolve.block_calls import read_call, references  # not needed without blocks

        entry, scope = point.current, context.scope
        assert entry is not None  # _step has looked
        if scope.lists:
            self.builder.step(step.span, sum(len(scope.lists.get(name, ())) for name in references(step)))
        call = read_call(step, scope, point)
        for wire in (*call.volumes.values(), *call.more):
            self.builder.visible(wire, step.span)
        definition = call.block.definition
        written = call.text
        self.builder.step(definition.span, len(definition.parameters) + len(written) // LONG)
        name = scope.name(context.label, definition.name, step.span)
        if len(name) > LONG:
            self.builder.step(step.span, len(name) // LONG)
        frame = Frame(written, step.span, name, ordinal, times, scope.frame, definition.span)
        try:
            inner = call.instance(frame, entry)
        except Finding as finding:
            self.builder.report(finding, step.span, frame)
            return point.lost()
        if definition.is_shared:
            from archspec.resolve.references.sharing import share  # few blocks are

            share(call, inner, scope, self.builder)
        end = self.body(definition.body, inner, Point(entry), entry).current
        return Point(end, entry, call.results(inner), None)

    def _merge(self, step: s.MergeStep, context: StepContext, point: Point) -> Point:
        scope, entry = context.scope, point.current
        self.builder.step(step.span, len(step.branches))
        branches = written = [(branch, Point(entry, None, point.results, None)) for branch in step.branches]
        if scope.lists:
            from archspec.resolve.references.lists import unfolded  # few specs have lists

            self.met.update(map(id, step.branches))  # that of an empty list is not run
            branches = unfolded(written, scope, self.builder)
        ends = [self.body(branch, scope, start, entry).current for branch, start in branches]
        if step.name not in MERGES:
            raise _findings().unknown_merge(step, scope.file.blocks)
        wires = tuple(end for end in ends if end is not None)
        if len(wires) == 1 and branches is not written:
            return point.after(wires[0])
        if len(wires) < 2:
            volumes = {wire.volume for wire in (entry, *wires) if isinstance(wire, Node)}
            raise _findings().single_branch(step, len(wires), len(volumes) == 1)
        layer = MERGES[step.name]()
        name = scope.name(context.label, layer.kind, step.span)
        return point.after(self.layers.merge(layer, wires, step, Origin(name, scope.frame, step.span), context))


def _first_step(statement: s.Statement | None) -> s.Step | None:
    """Return the first step of a line."""
    return statement.step_after(-1) if isinstance(statement, s.Chain) else None


def _findings() -> ModuleType:
    """Return the module of the findings, which a correct spec does not need."""
    from archspec.resolve.names import steps

    return steps
