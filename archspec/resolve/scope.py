"""What names mean inside one instance of a block, and how the things in it are called.

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
        self.volumes: dict[str, Wire] = {}
        self.places: dict[str, Span] = {}  # of lets and labels, for the second of a name
        self._reserved = labels
        self._counts: dict[str, int] = {}

    @property
    def path(self) -> str:
        """What names inside begin with."""
        return f"{self.frame.name}." if self.frame else ""

    def number(self, kind: str) -> str:
        """The path of the next thing of a kind: conv1, conv2, ...; what a label takes is left out."""
        count = self._counts.get(kind, 0) + 1
        while f"{kind}{count}" in self._reserved:
            count += 1
        self._counts[kind] = count
        return f"{self.path}{kind}{count}"

    def label(self, name: str, span: Span) -> str:
        """The path that a label gives. Raises Finding where it is taken."""
        self._once(name, span, "label")
        return f"{self.path}{name}"

    def count_label(self, kind: str) -> None:
        """A label stands for one of its kind in the count, so that CONV1:, CONV, CONV3: are 1, 2, 3."""
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def let(self, name: str, value: Value, span: Span) -> None:
        """Give a name a value."""
        self._once(name, span, "name")
        self.values[name] = value

    def _once(self, name: str, span: Span, noun: str) -> None:
        if name in self.places:
            others = (Label(self.places[name], "the first"),)
            helps = ("choose another name",)
            raise Finding("E109", f"the {noun} `{name}` is given twice", span, "the second", others=others, helps=helps)
        self.places[name] = span

    def has(self, name: str) -> bool:
        """Whether a name stands for a value."""
        return name in self.values or name in self.file.values or (name in DIMENSIONS and self.entry is not None)

    def lookup(self, name: s.Name) -> Value:
        """The value of a name. Raises Finding where there is none."""
        key = name.name
        for values in (self.values, self.file.values, self.file.blocks):
            if key in values:
                return values[key]
        if key in DIMENSIONS:
            return self._dimension(name)
        if key in self.file.lost:
            raise Unknown
        known = [*self.values, *self.file.values, *self.file.blocks]
        helps = did_you_mean(key, known)
        if not helps and known:
            helps = ("known here: " + ", ".join(known[:12]),)
        raise Finding("E101", f"no name `{key}` is known here", name.span, "unknown", helps=helps)

    def _dimension(self, name: s.Name) -> int:
        if self.entry is None:
            helps = ("they are the dimensions at a block's entry: use them inside a block",)
            raise Finding("E108", f"`{name.name}` stands for nothing at the top level", name.span, helps=helps)
        if isinstance(self.entry, Lost):
            raise Unknown
        volume = self.entry.volume
        places = {"C": -1, "H": -3, "W": -2} if volume.is_map else {"C": -1, "N": -2}
        place = places.get(name.name)
        if place is None or -place > len(volume):
            message = f"the {volume.kind} {volume} that enters the block has no `{name.name}`"
            has = ", ".join(key for key, at in places.items() if -at <= len(volume))
            raise Finding("E108", message, name.span, helps=(f"a {volume.kind} has {has}",))
        return volume[place]

    def reference(self, name: str, span: Span) -> Wire:
        """The volume of `@name`. Raises Finding where no label is called so."""
        if name in self.volumes:
            return self.volumes[name]
        helps = did_you_mean(name, self.volumes)
        if not helps:
            helps = (f"put `{name}: ` before the line whose result it is",)
            if name in self.values or name in FUNCTIONS:
                helps = (f"`{name}` is a number: write it without `@`",)
        raise Finding("E101", f"no result is called `{name}` here", span, "unknown", helps=helps)


class StepContext(Record):
    """What stands around a step: its line, the step written after it, its scope, what `x` is there, and its label."""

    chain: s.Chain
    following: s.Step | None
    scope: Scope
    entry: Wire | None
    label: str | None = None  # the line's, for its last step
