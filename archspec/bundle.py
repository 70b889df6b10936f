"""All that a network was built from, so that a weights file can contain it.

In: a located spec, the changes to it, the files that it uses; or data of any kind from a file. Out: a `Bundle` and its
data; or what is wrong with the data. Nothing is resolved here: `api.restore` does that.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from archspec.diagnostics.findings import shown
from archspec.library import Located
from archspec.record import Record
from archspec.resolve import Overrides

MAX_NAME_CHARACTERS, MAX_NAME_BYTES = 100, 200
MAX_CLASSES = 2**31
KEYS = ("name", "file", "text", "uses", "input", "classes", "variant", "set")


class Bundle(Record):
    """The spec, the changes to it, and the texts of the files that it uses, by name."""

    located: Located
    changes: Overrides
    uses: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the bundle as data, which `fault` accepts."""
        changes = self.changes
        return {
            "name": component(self.located.name),
            "file": component(Path(self.located.source.name).name),
            "text": self.located.source.text,
            "uses": dict(self.uses),
            "input": {name: list(sizes) for name, sizes in changes.inputs} or (changes.input and list(changes.input)),
            "classes": changes.classes,
            "variant": changes.variant,
            "set": dict(changes.values),
        }


def component(name: str) -> str:
    """Return a name as one component of a path, which `fault` accepts."""
    kept = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    named = kept if kept.strip(".") else f"spec{kept}"
    return named[:MAX_NAME_CHARACTERS].encode()[:MAX_NAME_BYTES].decode(errors="ignore")


def fault(data: object) -> str | None:
    """Return what keeps data from being a `Bundle.to_dict()`, or None."""
    if not isinstance(data, dict):
        return f"`bundle`: expected an object, got {shown(data)}"
    missing = [key for key in KEYS if key not in data]
    if missing:
        return f"`bundle.{missing[0]}` is missing"
    name, uses, values = data["name"], data["uses"], data["set"]
    if not isinstance(name, str) or component(name) != name:
        return f"`bundle.name`: expected a name of at most {MAX_NAME_CHARACTERS} characters, got {shown(name)}"
    wrong = next((key for key in ("file", "text") if not isinstance(data[key], str)), None)
    if wrong:
        return f"`bundle.{wrong}`: expected text, got {shown(data[wrong])}"
    if not isinstance(uses, dict) or not all(isinstance(text, str) for pair in uses.items() for text in pair):
        return f"`bundle.uses`: expected an object of texts, got {shown(uses)}"
    if data["input"] is not None and not _is_input(data["input"]):
        return f"`bundle.input`: expected a volume, or volumes by name, got {shown(data['input'])}"
    if data["classes"] is not None and not _is_number(data["classes"], MAX_CLASSES):
        return f"`bundle.classes`: expected a number of classes, got {shown(data['classes'])}"
    if data["variant"] is not None and not isinstance(data["variant"], str):
        return f"`bundle.variant`: expected a name, got {shown(data['variant'])}"
    if not isinstance(values, dict) or not all(isinstance(key, str) and _is_value(values[key]) for key in values):
        return f"`bundle.set`: expected an object of numbers and names, got {shown(values)}"
    return None


def _is_input(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_volume(sizes) for name, sizes in value.items())
    return _is_volume(value)


def _is_volume(value: object) -> bool:
    return isinstance(value, list | tuple) and 1 <= len(value) <= 3 and all(_is_number(size, 10**9) for size in value)


def _is_number(value: object, end: int) -> bool:
    return type(value) is int and 0 < value < end


def _is_value(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or (type(value) is int and abs(value) < 2**63)
