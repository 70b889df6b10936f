"""One input of the sweep over specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class SpecInput(NamedTuple):
    """The content of a spec, as text or as a file's bytes, the changes to it as `archspec.load` takes them, and files
    beside it, by name.
    """

    content: str | bytes
    changes: Mapping[str, object] = {}
    beside: Mapping[str, str] = {}

    def __str__(self) -> str:
        """The input as a person reads it."""
        shown = self.content if isinstance(self.content, str) else repr(self.content)
        shown += "".join(f"\n--{name} {value!r}" for name, value in self.changes.items())
        return shown + "".join(f"\n{name}.arch:\n{text}" for name, text in self.beside.items())
