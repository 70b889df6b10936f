"""One input of the sweep over specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class SpecInput(NamedTuple):
    """The content of a spec, as text or as a file's bytes, and the changes to it, as `archspec.load` takes them."""

    content: str | bytes
    changes: Mapping[str, object] = {}

    def __str__(self) -> str:
        """The input as a person reads it."""
        shown = self.content if isinstance(self.content, str) else repr(self.content)
        return shown + "".join(f"\n--{name} {value!r}" for name, value in self.changes.items())
