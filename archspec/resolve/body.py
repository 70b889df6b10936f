"""Runs the lines of a spec: each step grows the graph by what it stands for.

In: syntax and a scope. Out: nodes, through the builder. A step that is wrong is reported, its volume is lost, and what
follows goes on in silence until a bracket says a volume again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import plural, suggest
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame, Head, Node
from archspec.language import syntax as s
from archspec.language.expressions import Unknown, evaluate, number, truth
from archspec.layers import MERGES
from archspec.record import replace
from archspec.resolve.brackets import Brackets
from archspec.resolve.builder import GraphBuilder, Origin
from archspec.resolve.calls import Given, call_text, evaluate_arguments, find_block, instance
from archspec.resolve.flow import Around, Flow, Overrides, no_input
from archspec.resolve.scope import LOST, Scope, Wire
from archspec.resolve.steps import LayerSteps

MAX_NESTING = 64


class Runner:
    """Runs bodies into one builder."""

    def __init__(self, builder: GraphBuilder, brackets: Brackets, layers: LayerSteps, overrides: Overrides) -> None:
        self.builder = builder
        self.brackets = brackets
        self.layers = layers
        self.overrides = overrides
        self.nesting = 0

    # ---- lines
    def body(self, body: s.Body, scope: Scope, flow: Flow, entry: Wire | None) -> Flow:
        """Run lines one after the other; `entry` is what `x` stands for in them."""
        for position, statement in enumerate(body):
            try:
                following = body[position + 1] if position + 1 < len(body) else None
                flow = self._statement(statement, following, scope, flow, entry)
            except Finding as finding:
                self.builder.report(finding, statement.span, scope.frame)
                if not isinstance(statement, s.Let):
                    flow = flow.after(LOST)
            except Unknown:
                flow = flow.after(LOST)
        return flow

    def _statement(
        self, statement: s.Statement, following: s.Statement | None, scope: Scope, flow: Flow, entry: Wire | None
    ) -> Flow:
        if isinstance(statement, s.Chain):
            return self._chain(statement, Around(statement, _first_step(following), scope, entry), flow)
        if isinstance(statement, s.If):
            return self._if(statement, scope, flow, entry)
        if isinstance(statement, s.Aux):
            self._aux(statement, scope, flow, entry)
            return flow
        scope.let(statement.name, evaluate(statement.value, scope.lookup), statement.span)
        return flow

    def _if(self, statement: s.If, scope: Scope, flow: Flow, entry: Wire | None) -> Flow:
        for arm in statement.arms:
            if arm.condition is None or truth(arm.condition, scope.lookup):
                return self.body(arm.body, scope, flow, entry)
        return flow

    def _aux(self, statement: s.Aux, scope: Scope, flow: Flow, entry: Wire | None) -> None:
        weight = number(statement.weight, scope.lookup)
        if weight <= 0:
            raise Finding("E105", f"a loss weight of {weight:g}", statement.weight.span, helps=("`aux 0.3: ...`",))
        outer, self.builder.head = self.builder.head, len(self.builder.heads) + 1
        number_ = self.builder.head
        self.builder.heads.append(Head(float(weight), -1, number_))
        try:
            end = self._chain(statement.chain, Around(statement.chain, None, scope, entry), flow).current
        finally:
            self.builder.head = outer
        if isinstance(end, Node):
            self.builder.heads[number_ - 1] = Head(float(weight), end.index, number_)

    def _chain(self, chain: s.Chain, around: Around, flow: Flow) -> Flow:
        scope = around.scope
        flow = self.brackets.before(chain, scope, flow, self.overrides)
        start = flow.current
        for position, step in enumerate(chain.steps):
            if isinstance(step, s.Bracket):
                flow = replace(flow, current=self.brackets.inside(step, scope, flow.current))
                continue
            is_last = position == len(chain.steps) - 1
            behind = around.following if is_last else _next_step(chain.steps, position)
            flow = Flow(flow.current, flow.before, chain.label if is_last else None)
            try:
                if position and isinstance(step, s.EntryStep | s.ReferenceStep):
                    raise _starts_a_line(step)
                flow = self._step(step, Around(chain, behind, scope, around.entry), flow)
            except Finding as finding:
                self.builder.report(finding, step.span, scope.frame)
                flow = flow.after(LOST)
            except Unknown:
                flow = flow.after(LOST)
        flow = self.brackets.behind(chain, scope, flow, start)
        if chain.label and flow.current is not None:
            scope.volumes[chain.label] = flow.current
        return flow

    # ---- steps
    def _step(self, step: s.Step, around: Around, flow: Flow) -> Flow:
        if isinstance(step, s.LayerStep):
            return self.layers.run(step, around, flow)
        if isinstance(step, s.UnreadStep):
            return flow.after(LOST)
        if isinstance(step, s.EntryStep):
            if around.entry is None:
                helps = ("it is the volume that entered a block or a merge",)
                raise Finding("E108", "`x` stands for nothing at the top level", step.span, helps=helps)
            return flow.after(around.entry)
        if isinstance(step, s.ReferenceStep):
            return flow.after(around.scope.reference(step.name, step.span))
        if flow.current is None:
            raise no_input(step.span)
        if isinstance(step, s.RepeatStep):
            return self._repeat(step, around, flow)
        with self._one_deeper(step.span):
            if isinstance(step, s.CallStep):
                return self._call(step, around.scope, flow, 1, 1)
            return self._merge(step, around.scope, flow)

    @contextmanager
    def _one_deeper(self, span: Span) -> Iterator[None]:
        self.nesting += 1
        try:
            if self.nesting > MAX_NESTING:
                helps = ("does a block call itself without an end? `if depth > 0` ends it",)
                raise Finding("E112", f"blocks and merges nested more than {MAX_NESTING} deep", span, helps=helps)
            yield
        finally:
            self.nesting -= 1

    def _repeat(self, step: s.RepeatStep, around: Around, flow: Flow) -> Flow:
        times = number(step.times, around.scope.lookup)
        if times < 0 or times != int(times):
            message = f"{times:g} repeats"
            raise Finding("E105", message, step.times.span, "not a count", helps=("a repeat count is 0 or more",))
        self.builder.step(step.span, int(times))
        for ordinal in range(1, int(times) + 1):
            flow = replace(flow, label=None)
            if isinstance(step.step, s.CallStep):
                with self._one_deeper(step.span):
                    flow = self._call(step.step, around.scope, flow, ordinal, int(times))
            else:
                flow = self._step(step.step, around, flow)
        return flow

    def _call(self, step: s.CallStep, scope: Scope, flow: Flow, ordinal: int, times: int) -> Flow:
        block = find_block(step, scope)
        values = evaluate_arguments(Given(block, step), scope, flow.before)
        self.builder.step(step.span)
        name = scope.label(flow.label, step.span) if flow.label else scope.number(block.definition.name)
        frame = Frame(call_text(step, values), step.span, name, ordinal, times, scope.frame)
        current = flow.current
        assert current is not None  # _step has looked
        try:
            inner = instance(block, frame, current, values)
        except Finding as finding:
            self.builder.report(finding, step.span, frame)
            return flow.after(LOST)
        end = self.body(block.definition.body, inner, Flow(current), current)
        return flow.after(end.current)

    def _merge(self, step: s.MergeStep, scope: Scope, flow: Flow) -> Flow:
        if step.name not in MERGES:
            raise _unknown_merge(step, scope)
        entry = flow.current
        ends = [self.body(branch, scope, Flow(entry), entry).current for branch in step.branches]
        wires = tuple(end for end in ends if end is not None)
        if len(wires) < 2:
            message = f"`{step.name}` has {plural(len(wires), 'branch').replace('branchs', 'branches')}"
            raise Finding("E104", message, step.span, helps=("it joins two or more; `| x` is the volume itself",))
        layer = MERGES[step.name]()
        name = scope.label(flow.label, step.span) if flow.label else scope.number(layer.kind)
        return flow.after(self.builder.add(layer, wires, Origin(name, scope.frame, step.span)))


def _first_step(statement: s.Statement | None) -> s.Step | None:
    """The step that a line begins with, for `after`."""
    return _next_step(statement.steps, -1) if isinstance(statement, s.Chain) else None


def _next_step(steps: tuple[s.Step | s.Bracket, ...], position: int) -> s.Step | None:
    for step in steps[position + 1 :]:
        if not isinstance(step, s.Bracket):
            return step
    return None


def _starts_a_line(step: s.EntryStep | s.ReferenceStep) -> Finding:
    text = "x" if isinstance(step, s.EntryStep) else f"@{step.name}"
    helps = (f"begin a line with it; to join it with what came before, write it as a branch: `| {text}`",)
    return Finding("E114", f"`{text}` in the middle of a line drops what came before it", step.span, helps=helps)


def _unknown_merge(step: s.MergeStep, scope: Scope) -> Finding:
    if step.name in scope.module.blocks:
        helps: tuple[str, ...] = (f"a call has parentheses: `{step.name}(...)`",)
    else:
        near = suggest(step.name, MERGES)
        helps = (f"did you mean `{near}`?",) if near else ("branches are joined by " + ", ".join(MERGES),)
    return Finding("E102", f"no merge is called `{step.name}`", step.span, "unknown merge", helps=helps)
