"""The names in one instance of a block, and the paths of the nodes in it.

In: the parameters of an instance. Out: values of names, volumes of labels, paths for new nodes.
"""

from __future__ import annotations

from types import ModuleType

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Span
from archspec.graph.ir import Frame
from archspec.language import syntax as s
from archspec.language.expressions import Unknown
from archspec.record import Record
from archspec.resolve.declarations import FileNames, Value
from archspec.resolve.graph_builder import Lost, Results, Wire
from archspec.resolve.layer_names import KEYWORDS, is_reserved

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
        self.lists: dict[str, tuple[Wire, ...]] = {}  # the volumes of `@more...`
        self.results: dict[str, Results] = {}  # of labelled calls
        self.shared: dict[int, SharedCall] = {}  # the first calls of shared blocks, by the identity of the definition
        self.places: dict[str, Span] = {}  # of lets and labels, to report duplicates
        self.given: dict[str, s.GivenArgument] = {}  # the arguments of the block's call, by parameter ...
        self.call: tuple[s.CallStep, Scope] | None = None  # ... which stands in this scope
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
        """Return the path for a label. Raises Finding if the label is taken or reserved."""
        if name == "before" or name in KEYWORDS:
            raise _declared().reserved_label(name, span)
        self._once(name, span, "label")
        return f"{self.path}{name}"

    def name(self, label: str | None, kind: str, span: Span) -> str:
        """Return the path of what a step builds: its label, or the next name of its kind."""
        return self.label(label, span) if label else self.number(kind)

    def count_label(self, kind: str) -> None:
        """Count a labelled node among its kind, so that CONV1:, CONV, CONV3: are 1, 2, 3."""
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def let(self, name: str, value: Value, span: Span) -> None:
        """Define a name. Raises Finding if it is taken or reserved."""
        if is_reserved(name):
            raise _declared().reserved_let(name, span, self.file.syntax)
        self._once(name, span, "name")
        self.values[name] = value

    def _once(self, name: str, span: Span, noun: str) -> None:
        if name in self.places:
            raise _findings().twice(name, span, self.places[name], noun, self.file.syntax)
        self.places[name] = span

    def has(self, name: str) -> bool:
        """Whether a name is defined, be it without a value because of an earlier error."""
        known = name in self.values or name in self.file.values or name in self.lost or name in self.file.lost
        return known or (name in DIMENSIONS and self.entry is not None)

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
        numbers = [*self.values, *sorted(self.lost), *self.file.values]
        blocks, is_inner = [*self.file.blocks], self.entry is not None
        finding: Finding = _findings().undefined(name, numbers, blocks, self.file.syntax, is_inner)
        if finding.code == "E108":  # its `let` is below: told once
            self.lost.add(key)
        raise finding

    def _dimension(self, name: s.Name) -> int:
        if self.entry is None:
            notes = ("it is a dimension of a block's input: use it inside a block",)
            raise Finding("E108", f"`{name.name}` is undefined at the top level", name.span, notes=notes)
        if isinstance(self.entry, Lost):
            raise Unknown
        volume = self.entry.volume
        places = {"C": -1, "H": -3, "W": -2} if volume.is_map else {"C": -1, "N": -2}
        place = places.get(name.name)
        if place is None or -place > len(volume):
            message = f"the block's input, the {volume.kind} {volume}, has no `{name.name}`"
            has = ", ".join(key for key, at in places.items() if -at <= len(volume))
            raise Finding("E108", message, name.span, notes=(f"a {volume.kind} has {has}",))
        return volume[place]

    def reference(self, name: str, span: Span) -> Wire:
        """Return the volume of `@name`. Raises Finding if there is no such label."""
        if name in self.volumes:
            return self.volumes[name]
        if name in self.lists:
            raise _findings().misplaced_list(name, span)
        is_number = self.has(name)
        raise _findings().no_result(name, span, [*self.volumes, *self.lists], is_number, self.file.syntax)


class SharedCall(Record):
    """A call of a shared block: the path of its instance, the values of the parameters, and its place."""

    name: str
    values: dict[str, Value]
    given: frozenset[str]  # the parameters that have an argument
    span: Span


class StepContext(Record):
    """The surroundings of a step: its line, the step written after it, its scope, the volume of `x`, and its label."""

    chain: s.Chain
    following: s.Step | None
    scope: Scope
    entry: Wire | None
    label: str | None = None  # the line's, for its last step


def _findings() -> ModuleType:
    """Return the module of the findings, which a correct spec does not need."""
    from archspec.resolve.names import scopes

    return scopes


def _declared() -> ModuleType:
    from archspec.resolve.names import declared

    return declared
