"""Which side of a line a bracket stands for, and what happens when it is not so.

In: a line with its brackets, and the flow around it. Out: the flow, with a volume again where one was lost and the
bracket says it. A file whose first layer line declares INPUT shows what each line produces; one that begins with a
bracket and another layer shows what each line receives. A bracket inside a chain is the volume at that point.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.language.expressions import Unknown
from archspec.layers.input import Input
from archspec.resolve.builder import GraphBuilder, Origin
from archspec.resolve.flow import Flow, Overrides
from archspec.resolve.scope import LOST, Scope, Wire
from archspec.resolve.volume_claims import agrees, claimed, false_claim

Seen = dict[tuple[object, ...], Volume]


class Brackets:
    """Checks claims of volumes. `plain` is what the same spec makes without the command line's changes."""

    def __init__(self, builder: GraphBuilder, receives: bool, plain: Seen | None) -> None:
        self.builder = builder
        self.receives = receives
        self.plain = plain
        self.seen: Seen = {}
        self.checked = 0
        self.suspended = 0
        self._believed = True
        self._told_the_other_side = False

    def before(self, chain: s.Chain, scope: Scope, flow: Flow, overrides: Overrides) -> Flow:
        """The flow at the start of a line: its bracket may be the network's input, or what is received."""
        bracket = chain.bracket
        if bracket is None or not self.receives:
            return flow
        if flow.current is None and scope.frame is None:
            volume = Volume(overrides.input) if overrides.input else self._claimed(bracket, scope)
            if volume is None:
                return Flow(LOST)
            return Flow(self.builder.place(Input(), (), volume, Origin("input", None, bracket.span)))
        if isinstance(flow.current, Node):
            return Flow(flow.current, flow.before)  # checked in `behind`, when the other reading is known too
        return Flow(self._recovered(bracket, scope, flow.current), flow.before)

    def behind(self, chain: s.Chain, scope: Scope, flow: Flow, start: Wire | None) -> Flow:
        """The flow at the end of a line, its bracket checked."""
        if chain.bracket is None or is_input(chain):
            return flow
        if self.receives:
            end = flow.current if isinstance(flow.current, Node) else None
            if isinstance(start, Node) and start.span != chain.bracket.span:
                hint = "makes: in this file a bracket shows what its line receives"
                self._check(chain.bracket, scope, start, end, hint)
            return flow
        if isinstance(flow.current, Node):
            other = start if isinstance(start, Node) else None
            hint = "receives: in a file that begins with INPUT a bracket shows what its line makes"
            self._check(chain.bracket, scope, flow.current, other, hint)
            return flow
        return Flow(self._recovered(chain.bracket, scope, flow.current), flow.before)

    def inside(self, bracket: s.Bracket, scope: Scope, wire: Wire | None) -> Wire | None:
        """A bracket between steps."""
        if isinstance(wire, Node):
            self._check(bracket, scope, wire, None, "")
            return wire
        return self._recovered(bracket, scope, wire)

    def doubts(self, finding: Finding) -> bool:
        """Whether a misfit is likely to come from a claim that has failed before."""
        return not self._believed and finding.code.startswith("E2")

    def _claimed(self, bracket: s.Bracket, scope: Scope) -> Volume | None:
        try:
            return claimed(bracket, scope.lookup)
        except Finding as finding:
            self.builder.report(finding, bracket.span, scope.frame)
        except Unknown:
            pass
        return None

    def _recovered(self, bracket: s.Bracket, scope: Scope, wire: Wire | None) -> Wire | None:
        """A lost volume, as the bracket says it: the graph is not used any more, but more mistakes are found."""
        volume = self._claimed(bracket, scope)
        if volume is None or wire is None:
            return wire
        self._believed = True
        return self.builder.place(Input(), (), volume, Origin(f"{scope.path}recovered", scope.frame, bracket.span))

    def _check(self, bracket: s.Bracket, scope: Scope, node: Node, other: Node | None, reading: str) -> None:
        claim = self._claimed(bracket, scope)
        if claim is None:
            return
        key = (bracket.span.start, scope.path)
        self.seen[key] = node.volume
        if agrees(claim, node.volume):
            self.checked += 1
            self._believed = True
        elif bracket.is_literal and self.plain is not None and self.plain.get(key) != node.volume:
            self.suspended += 1
        elif self._believed:
            self._believed = False
            note = f"{claim} is what the line {reading}" if other and agrees(claim, other.volume) else ""
            if note and self._told_the_other_side:
                return
            self._told_the_other_side = bool(note)
            volumes = tuple(self.builder.nodes[index].volume for index in node.inputs)
            self.builder.report(false_claim(bracket, claim, node, volumes, note), bracket.span, scope.frame)


def is_input(chain: s.Chain) -> bool:
    """Whether a line declares the input."""
    first = chain.steps[0]
    return isinstance(first, s.LayerStep) and first.words[0].text == Input.keyword


def shows_received(body: s.Body) -> bool:
    """Whether the brackets of a file show what its lines receive."""
    for statement in body:
        if isinstance(statement, s.Chain):
            return statement.bracket is not None and not is_input(statement)
    return False
