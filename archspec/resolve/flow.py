"""Where a chain has got to, what stands around a step, and what the command line changes."""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.record import Record
from archspec.resolve.scope import Scope, Wire


class Flow(Record):
    """The volume at this point of a chain, and the one that entered the step before (`@before`).

    `current` is nothing until there is an input.
    """

    current: Wire | None
    before: Wire | None = None
    label: str | None = None  # for the last step of a line

    def after(self, wire: Wire | None) -> Flow:
        """One step further."""
        return Flow(wire, self.current, None)


class Around(Record):
    """What stands around a step: its line, the step written behind it, its scope, and what `x` is there."""

    chain: s.Chain
    following: s.Step | None
    scope: Scope
    entry: Wire | None


class Overrides(Record):
    """What the command line changes: `--input`, `--classes`, `--set` and `--variant`."""

    input: tuple[int, ...] | None = None
    classes: int | None = None
    values: tuple[tuple[str, object], ...] = ()
    variant: str | None = None

    @property
    def any(self) -> bool:
        """Whether anything is changed."""
        return self != Overrides()


def no_input(span: Span) -> Finding:
    """A layer before anything has entered the network."""
    helps = ("begin with what enters: `[224x224x3] INPUT`",)
    return Finding("E110", "no INPUT before this line", span, "works on what?", helps=helps)
