"""Volumes in brackets: what a bracket claims, whether that is true, and the message if it is not.

In: a line with its brackets, and the points of its chain. Out: the points, with a volume again where one was lost and
a bracket states it. A file whose first layer line declares INPUT shows what each line produces; one that begins with a
bracket and another layer shows what each line receives. A bracket inside a chain is the volume at that point. After a
claim has failed, further failures are not reported until one is true again: they have the same cause.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Label
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.language.expressions import Lookup, Unknown, number
from archspec.layers.input import Input
from archspec.layers.window import size_formula
from archspec.resolve.declarations import Overrides
from archspec.resolve.graph_builder import LOST, GraphBuilder, Origin, Point, Wire
from archspec.resolve.scope import Scope

Seen = dict[tuple[object, ...], Volume]


def shows_received(body: s.Body) -> bool:
    """Whether the brackets of a file show what its lines receive."""
    for statement in body:
        if isinstance(statement, s.Chain):
            return statement.bracket is not None and not _is_input(statement)
    return False


def _is_input(chain: s.Chain) -> bool:
    """Whether a line declares the input."""
    first = chain.steps[0]
    return isinstance(first, s.LayerStep) and first.words[0].text == Input.keyword


class Brackets:
    """The brackets of one run, in the order in which a line meets them.

    `changes` may replace the network's inputs, `plain` is what the same spec produces without them.
    """

    def __init__(self, builder: GraphBuilder, file: s.File, changes: Overrides, plain: Seen | None) -> None:
        self.builder = builder
        self.file = file
        self.receives = shows_received(file.body)
        self.changes = changes
        self.plain = plain
        self.seen: Seen = {}
        self.own_inputs: dict[str, Volume | None] = {}  # as the spec says them
        self.checked = 0
        self.suspended = 0
        self._believed = True
        self._told_the_other_side = False
        self.has_more_axes = False  # a volume of more than three dimensions was seen

    def at_start(self, chain: s.Chain, scope: Scope, point: Point) -> Point:
        """Begin a line, whose bracket may be the network's input or what the line receives."""
        bracket = chain.bracket
        if bracket is None or not self.receives:
            return point
        if point.current is None and scope.frame is None:
            volume = self.input_volume(bracket, scope, "input")
            if volume is None:
                return Point(LOST)
            return Point(self.builder.place(Input(), (), volume, Origin("input", None, bracket.span)))
        if isinstance(point.current, Node):
            return point  # checked in `at_end`, when the other reading is known too
        return Point(self._recovered(bracket, scope, point.current), point.before, point.results)

    def of_result(self, step: s.LayerStep, chain: s.Chain) -> s.Bracket | None:
        """Return the bracket with the volume that a layer produces, if the step or its line has one."""
        return step.bracket or (None if self.receives else chain.bracket)

    def of_input(self, step: s.LayerStep, chain: s.Chain) -> s.Bracket:
        """Return the bracket with the volume of an INPUT. Raises Finding if there is none."""
        bracket = step.bracket or chain.bracket
        if bracket is None:
            from archspec.resolve.helps.input_step import without_volume  # correct specs need none

            raise without_volume(step)
        return bracket

    def inside(self, bracket: s.Bracket, scope: Scope, wire: Wire | None) -> Wire | None:
        """Check a bracket after a layer or between steps; return the volume at that point."""
        if isinstance(wire, Node):
            self._check(bracket, scope, wire, None, "")
            return wire
        return self._recovered(bracket, scope, wire)

    def at_end(self, chain: s.Chain, scope: Scope, point: Point, start: Wire | None) -> Point:
        """Check the bracket of a line that began with the volume `start`, at its end."""
        if chain.bracket is None or _is_input(chain):
            return point
        if self.receives:
            end = point.current if isinstance(point.current, Node) else None
            if isinstance(start, Node) and start.span != chain.bracket.span:
                hint = "produces: in this file a bracket shows what its line receives"
                self._check(chain.bracket, scope, start, end, hint)
            return point
        if isinstance(point.current, Node):
            other = start if isinstance(start, Node) else None
            hint = "receives: in a file that begins with INPUT a bracket shows what its line produces"
            self._check(chain.bracket, scope, point.current, other, hint)
            return point
        return Point(self._recovered(chain.bracket, scope, point.current), point.before)

    def doubts(self, finding: Finding) -> bool:
        """Whether a misfit probably follows from a claim that has failed before."""
        return not self._believed and finding.code.startswith("E2")

    def input_volume(self, bracket: s.Bracket, scope: Scope, name: str) -> Volume | None:
        """Return the volume of an input of the network: the command line's, or the bracket's."""
        own = self.own_inputs[name] = self.volume(bracket, scope)
        sizes = self.changes.input if len(self.own_inputs) == 1 else None
        if self.changes.inputs:
            sizes = dict(self.changes.inputs).get(name)
        return Volume(sizes) if sizes else own

    def volume(self, bracket: s.Bracket, scope: Scope) -> Volume | None:
        """Return the volume in a bracket; None if it has none, which is then reported."""
        try:
            return _volume(bracket, scope.lookup)
        except Finding as finding:
            if self.has_more_axes and finding.code == "E304":
                return None  # the same cause
            self.has_more_axes |= finding.code == "E304"
            self.builder.report(finding, bracket.span, scope.frame)
        except Unknown:
            pass
        return None

    def _recovered(self, bracket: s.Bracket, scope: Scope, wire: Wire | None) -> Wire | None:
        """Return a lost volume as the bracket states it: the graph is discarded, but more errors are found."""
        volume = self.volume(bracket, scope)
        if volume is None or wire is None:
            return wire
        self._believed = True
        return self.builder.place(Input(), (), volume, Origin(f"{scope.path}recovered", scope.frame, bracket.span))

    def _check(self, bracket: s.Bracket, scope: Scope, node: Node, other: Node | None, reading: str) -> None:
        claim = self.volume(bracket, scope)
        if claim is None:
            return
        key = (bracket.span.start, scope.path)
        self.seen[key] = node.volume
        if claim.agrees(node.volume):
            self.checked += 1
            self._believed = True
        elif bracket.is_literal and self.plain is not None and self.plain.get(key) != node.volume:
            self.suspended += 1
        elif self._believed:
            self._believed = False
            note = f"{claim} is what the line {reading}" if other and claim.agrees(other.volume) else ""
            if note and self._told_the_other_side:
                return
            self._told_the_other_side = bool(note)
            volumes = tuple(self.builder.nodes[index].volume for index in node.inputs)
            notes = [*_formula(node, volumes, claim), *([note] if note else [])]
            self.builder.report(self._false(bracket, claim, node, notes, scope), bracket.span, scope.frame)

    def _false(self, bracket: s.Bracket, claim: Volume, node: Node, notes: list[str], scope: Scope) -> Finding:
        """Return the finding for a bracket that is wrong at a node."""
        what = node.name.rsplit(".", 1)[-1]
        message = f"the line says {claim}, {what} produces {node.volume}"
        others = () if node.span.start == bracket.span.start else (Label(node.span, f"produces {node.volume}"),)

        def helps() -> list[str]:
            from archspec.resolve.helps.claims import BracketPlace, remedies  # correct specs need none

            return remedies(bracket, claim, node, BracketPlace(self.file, scope, self.builder.nodes))

        return Finding("E301", message, bracket.span, "claimed here", others=others, notes=notes, helps=helps)


def _volume(bracket: s.Bracket, lookup: Lookup) -> Volume:
    """Evaluate a bracket. Raises Finding if it is not a volume, Unknown if it depends on an unknown value."""
    dimensions: list[int] = []
    for expression in bracket.dimensions:
        value = number(expression, lookup)
        whole = round(value)
        if abs(value - whole) > 1e-9 or whole < 1:
            notes = ("sizes are whole numbers of at least 1",)
            from archspec.resolve.helps.claims import other_side  # correct specs need none

            helps = lambda: other_side(bracket)  # noqa: E731
            raise Finding("E105", f"a dimension of {value:g}", bracket.span, "not a size", notes=notes, helps=helps)
        dimensions.append(whole)
    if len(dimensions) > 3:
        from archspec.resolve.helps.claims import too_many  # correct specs need none

        raise too_many(bracket, dimensions)
    return Volume(dimensions)


def _formula(node: Node, volumes: tuple[Volume, ...], claim: Volume) -> list[str]:
    window = node.layer.slides()
    if window is None or not (volumes and volumes[0].is_map) or claim.spatial == node.volume.spatial:
        return []
    axis = 0 if len(claim) != 3 or claim[0] != node.volume[0] else 1
    kernel, stride, pads, dilation = window
    return [size_formula(volumes[0][axis], kernel[axis], stride[axis], pads[axis], dilation[axis])]
