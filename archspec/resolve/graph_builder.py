"""The graph under construction: adds nodes one by one, within bounds, and collects findings.

In: layers and their input volumes. Out: nodes and diagnostics. A volume that cannot be computed is `LOST`: whatever
depends on it is skipped without a message, so that each cause is reported once.
"""

from __future__ import annotations

from typing import TypeAlias

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic, Label, plural
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame, Head, Node, Output
from archspec.graph.volume import Volume
from archspec.language.layout import MAX_LINES
from archspec.language.transform_expressions import LARGEST
from archspec.layers import Layer
from archspec.layers.input import Input
from archspec.record import Record, replace

MAX_STEPS = MAX_LINES  # steps that are run
LONG = 50  # characters: a longer step or name counts once more for each so many
MAX_SOURCES = 8  # inputs that a finding points at


class Lost(Record):
    """A volume that could not be computed: whatever depends on it is skipped without a message."""


LOST = Lost()
Wire: TypeAlias = Node | Lost


class Results(Record):
    """What a call shows: the volumes of the labels in its block, and what the labelled calls in it show."""

    call: str  # the path of the instance
    volumes: dict[str, Wire]
    inner: dict[str, Results]


UNKNOWN = Results("", {}, {})  # of a call that failed


class Point(Record):
    """A point in a chain: the volume there, and the input of the step before it (`@before`).

    `current` is None until there is an input. `results` are those of the last call in these lines (`@last.coarse`);
    `element` is the volume of a list that a branch stands for.
    """

    current: Wire | None
    before: Wire | None = None
    results: Results | None = None
    element: Wire | None = None

    def after(self, wire: Wire | None) -> Point:
        """Return the point after one more step, which is not a call."""
        return Point(wire, self.current, self.results, None)

    def lost(self) -> Point:
        """Return the point after a step that failed: it may have been a call."""
        return Point(LOST, self.current, UNKNOWN, None)


class Origin(Record):
    """Where a node comes from: its name, its block instance, its span, and whether `after` added it."""

    name: str
    frame: Frame | None
    span: Span
    implied: bool = False


class Tie(Record):
    """`weights=@words`: the node that the label names, and where it is written."""

    node: int
    span: Span


class GraphBuilder:
    """The nodes so far. `findings` has each finding once, however many instances share it."""

    def __init__(self, max_steps: int = MAX_STEPS, steps: int = 0, shown: int = MAX_SHOWN) -> None:
        self.nodes: list[Node] = []
        self.heads: list[Head] = []
        self.outputs: list[Output] = []  # of `output` lines
        self.head = 0  # the auxiliary classifier being built
        self.open_heads = [0]  # the trunk, and the auxiliary classifiers around the current line
        self.twins: dict[str, str] = {}  # instances of shared blocks, with the first of the same scope
        self.ties: dict[int, Tie] = {}  # `weights=@label`, by the node that it is given to
        self.has_tokens = False  # whether an input is token ids
        self.max_steps = max_steps
        self.steps = steps
        self.shown = shown
        self._findings: dict[tuple[object, ...], Diagnostic] = {}
        self._again: dict[tuple[object, ...], int] = {}

    # ---- findings
    def report(self, finding: Finding, fallback: Span, frame: Frame | None) -> None:
        """Record a finding with the calls around it; only count it if another instance has it already."""
        span = finding.span or fallback
        call = _call_outside(frame, span, finding.code)
        if call is not None:
            span = call
        key: tuple[object, ...] = (finding.code, span.source, span.start, finding.code == "E201" or finding.message)
        key = (finding.once,) if finding.once else key
        if key in self._findings:
            self._again[key] = self._again.get(key, 0) + 1
            return
        is_shown = len(self._findings) < self.shown
        found = finding.diagnostic(fallback, trace(frame)) if is_shown else finding.brief(fallback)
        if call is not None:
            from archspec.resolve.names.given import at_call

            found = at_call(found, call)
        self._findings[key] = found

    @property
    def findings(self) -> list[Diagnostic]:
        """Return all findings, each with the number of instances that share it."""
        found = []
        for key, diagnostic in self._findings.items():
            again = self._again.get(key, 0)
            note = (f"the same in {plural(again, 'more instance' if len(key) > 1 else 'more place')}",) if again else ()
            found.append(replace(diagnostic, notes=(*diagnostic.notes, *note)))
        return found

    # ---- what is seen
    def visible(self, wire: Wire, span: Span) -> Wire:
        """Return the volume of a label. Raises Finding if it belongs to an auxiliary classifier that has ended."""
        if isinstance(wire, Node) and wire.head not in self.open_heads:
            from archspec.resolve.names.steps import outside_its_aux  # a correct spec does not need it

            raise outside_its_aux(span)
        return wire

    # ---- growth
    def step(self, span: Span, more: int = 1) -> None:
        """Count what is about to be done. Raises TooLarge beyond the bound, before it is done.

        Everything that takes time counts: steps, lines that add no layer, repeats, and once more for each `LONG`
        characters, so that neither a long expression nor a long name is free.
        """
        self.steps += more + (span[2] - span[1]) // LONG
        if self.steps > self.max_steps:
            raise TooLarge(span)

    def add(self, layer: Layer, inputs: tuple[Wire, ...], origin: Origin) -> Wire:
        """Add a node; return LOST if its inputs are lost. Raises Finding if the layer rejects its inputs."""
        nodes = [wire for wire in inputs if isinstance(wire, Node)]
        if len(nodes) < len(inputs):
            return LOST
        try:
            if layer.reads_tokens or self.has_tokens:
                from archspec.graph.token_ids import need_tokens  # few networks read token ids

                need_tokens(layer, nodes)
            volume = layer.output(tuple([node.volume for node in nodes]))
        except Finding as finding:
            if finding.code.startswith("E2"):
                finding.others = (*finding.others, *_sources(nodes, origin.span))
            raise
        if max(volume) > LARGEST:
            raise _too_wide(volume, _sources(nodes, origin.span))
        return self.place(layer, tuple([node.index for node in nodes]), volume, origin)

    def place(self, layer: Layer, inputs: tuple[int, ...], volume: Volume, origin: Origin) -> Node:
        """Add a node whose volume is known."""
        if not inputs:
            self.has_tokens |= isinstance(layer, Input) and layer.tokens
        name, frame, span, implied = origin.name, origin.frame, origin.span, origin.implied
        if len(name) > LONG:
            self.step(span, len(name) // LONG)
        node = Node(len(self.nodes), name, layer, inputs, volume, frame, span, implied, self.head)
        self.nodes.append(node)
        return node


class TooLarge(Exception):
    """More steps than a network may take; `span` is where the bound was exceeded."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


def _call_outside(frame: Frame | None, span: Span, code: str) -> Span | None:
    """Return the call in the spec itself that brings about a finding in a used file; None if it has it in every call.

    Kinds of values (E105) and volumes (E2xx) follow from the arguments and the input of a call.
    """
    if frame is None or not code.startswith(("E105", "E2")):
        return None
    calls = [frame]
    while calls[-1].parent:
        calls.append(calls[-1].parent)
    source = calls[-1].span.source
    return None if span.source is source else next(one.span for one in calls if one.span.source is source)


def too_large(bound: int) -> Finding:
    """Return the finding for a network of more steps than the bound."""
    notes = ("layers, calls, branches, `let`s, `if`s and repeats count each time they run",)
    helps = ("is a repeat count too large?",)
    return Finding("E112", f"the network takes more than {plural(bound, 'step')}", notes=notes, helps=helps)


def _too_wide(volume: Volume, sources: tuple[Label, ...]) -> Finding:
    helps = ("no tensor is that large: use a smaller factor, stride or pad",)
    size = len(str(max(volume)))
    return Finding("E008", f"a volume with a size of {size} digits, larger than 2^63", others=sources, helps=helps)


def _sources(nodes: list[Node], span: Span) -> tuple[Label, ...]:
    """Label the origins of the first input volumes, once for each place."""
    labels: dict[int, Label] = {}
    for node in nodes[:MAX_SOURCES]:
        if node.span.start != span.start:
            labels.setdefault(node.span.start, Label(node.span, f"produces {node.volume}"))
    return tuple(labels.values())


def trace(frame: Frame | None) -> tuple[str, ...]:
    """Return notes on the calls around a place, innermost first."""
    notes = []
    while frame is not None:
        which = f", {ordinal(frame.ordinal)} of {frame.times}" if frame.times > 1 else ""
        line = frame.span.line
        notes.append(f"in `{frame.call}`{which}, called on line {line} as {_shortened(frame.name)}")
        frame = frame.parent
    if len(notes) > 6:
        notes[3:-2] = [f"... {len(notes) - 5} more calls ..."]
    return tuple(notes)


def _shortened(path: str) -> str:
    """Shorten a long path in the middle."""
    return path if len(path) <= 40 else f"{path[:16]}...{path[-16:]}"


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
