"""The names in one instance of a block, and the paths of the nodes in it.

In: the parameters of an instance. Out: values of names, volumes of labels, paths for new nodes.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Label, did_you_mean
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame
from archspec.language import syntax as s
from archspec.language.expressions import FUNCTIONS, Unknown
from archspec.record import Record
from archspec.resolve.declarations import FileNames, Value
from archspec.resolve.graph_builder import Lost, Wire

DIMENSIONS = ("C", "H", "W", "N")


class Scope:
    """One instance of a block, or the top level of a file (whose `entry` is None)."""

    def __init__(self, file: FileNames, frame: Frame | None, entry: Wire | None, labels: frozenset[str]) -> None:
        self.file = file
        self.frame = frame
        self.entry = entry
        self.values: dict[str, Value] = {}
        self.lost: set[str] = set()  # names whose `let` failed and was reported
        self.volumes: dict[str, Wire] = {}
        self.places: dict[str, Span] = {}  # of lets and labels, to report duplicates
        self._reserved = labels
        self._counts: dict[str, int] = {}

    @property
    def path(self) -> str:
        """The prefix of the paths inside."""
        return f"{self.frame.name}." if self.frame else ""

    def number(self, kind: str) -> str:
        """Return the path for the next node of a kind: conv1, conv2, ..., skipping names that labels use."""
        count = self._counts.get(kind, 0) + 1
        while f"{kind}{count}" in self._reserved:
            count += 1
        self._counts[kind] = count
        return f"{self.path}{kind}{count}"

    def label(self, name: str, span: Span) -> str:
        """Return the path for a label. Raises Finding if the label is taken."""
        self._once(name, span, "label")
        return f"{self.path}{name}"

    def count_label(self, kind: str) -> None:
        """Count a labelled node among its kind, so that CONV1:, CONV, CONV3: are 1, 2, 3."""
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def let(self, name: str, value: Value, span: Span) -> None:
        """Define a name. Raises Finding if it is taken."""
        self._once(name, span, "name")
        self.values[name] = value

    def _once(self, name: str, span: Span, noun: str) -> None:
        if name in self.places:
            others = (Label(self.places[name], "the first"),)
            helps = ("choose another name",)
            raise Finding("E109", f"the {noun} `{name}` is given twice", span, "the second", others=others, helps=helps)
        self.places[name] = span

    def has(self, name: str) -> bool:
        """Whether a name is defined."""
        return name in self.values or name in self.file.values or (name in DIMENSIONS and self.entry is not None)

    def lookup(self, name: s.Name) -> Value:
        """Return the value of a name. Raises Finding if it is undefined."""
        key = name.name
        for values in (self.values, self.file.values, self.file.blocks):
            if key in values:
                return values[key]
        if key in self.lost or key in self.file.lost:
            raise Unknown
        if key in DIMENSIONS:
            return self._dimension(name)
        raise Finding("E101", f"undefined name `{key}`", name.span, "unknown", helps=lambda: self._near(key))

    def _near(self, key: str) -> tuple[str, ...]:
        known = [*self.values, *self.file.values, *self.file.blocks]
        names = ("names in scope: " + ", ".join(known[:12]),) if known else ()
        return did_you_mean(key, known) or names

    def _dimension(self, name: s.Name) -> int:
        if self.entry is None:
            helps = ("it is a dimension of a block's input: use it inside a block",)
            raise Finding("E108", f"`{name.name}` is undefined at the top level", name.span, helps=helps)
        if isinstance(self.entry, Lost):
            raise Unknown
        volume = self.entry.volume
        places = {"C": -1, "H": -3, "W": -2} if volume.is_map else {"C": -1, "N": -2}
        place = places.get(name.name)
        if place is None or -place > len(volume):
            message = f"the block's input, the {volume.kind} {volume}, has no `{name.name}`"
            has = ", ".join(key for key, at in places.items() if -at <= len(volume))
            raise Finding("E108", message, name.span, helps=(f"a {volume.kind} has {has}",))
        return volume[place]

    def reference(self, name: str, span: Span) -> Wire:
        """Return the volume of `@name`. Raises Finding if there is no such label."""
        if name in self.volumes:
            return self.volumes[name]
        helps = (f"label a line with it: `{name}: ...`",)
        if name in self.values or name in FUNCTIONS:
            helps = (f"`{name}` is a number: write it without `@`",)
        message = f"unknown result `@{name}`"
        raise Finding("E101", message, span, "unknown", helps=lambda: did_you_mean(name, self.volumes) or helps)


class StepContext(Record):
    """The surroundings of a step: its line, the step written after it, its scope, the volume of `x`, and its label."""

    chain: s.Chain
    following: s.Step | None
    scope: Scope
    entry: Wire | None
    label: str | None = None  # the line's, for its last step
