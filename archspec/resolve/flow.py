"""Where a chain has got to."""

from __future__ import annotations

from archspec.record import Record
from archspec.resolve.scope import Wire


class Flow(Record):
    """The volume at this point of a chain, and the one that entered the step before (`@before`).

    `current` is nothing until there is an input.
    """

    current: Wire | None
    before: Wire | None = None
    label: str | None = None  # for the last step of a line

    def after(self, wire: Wire | None) -> Flow:
        """One step further."""
        return Flow(wire, self.current)


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
