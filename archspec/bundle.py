"""What a file says of a network, looked at before anything is made of it.

In: data of any kind, a weights file's or a checkpoint's. Out: what is wrong with them, in words, or nothing.
"""

from __future__ import annotations

import math

MOST_CHARACTERS, MOST_BYTES = 100, 200  # of a name
MOST_CLASSES = 2**31
KEYS = ("name", "file", "text", "uses", "input", "classes", "variant", "set")


def component(name: str) -> str:
    """A name as one part of a path, which `fault` has nothing against."""
    kept = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    named = kept if kept.strip(".") else f"spec{kept}"
    return named[:MOST_CHARACTERS].encode()[:MOST_BYTES].decode(errors="ignore")


def fault(data: object) -> str | None:
    """What keeps data from being a `Bundle.to_dict()`, or nothing."""
    if not isinstance(data, dict):
        return f"`bundle` is {shown(data)}, and no object"
    missing = [key for key in KEYS if key not in data]
    if missing:
        return f"`bundle` has no `{missing[0]}`"
    name, uses, values = data["name"], data["uses"], data["set"]
    if not isinstance(name, str) or component(name) != name:
        return f"`bundle.name` is {shown(name)}, and no name of at most {MOST_CHARACTERS} letters"
    wrong = next((key for key in ("file", "text") if not isinstance(data[key], str)), None)
    if wrong:
        return f"`bundle.{wrong}` is {shown(data[wrong])}, and no text"
    if not isinstance(uses, dict) or not all(isinstance(text, str) for pair in uses.items() for text in pair):
        return f"`bundle.uses` is {shown(uses)}, and no object of texts"
    if data["input"] is not None and not _is_volume(data["input"]):
        return f"`bundle.input` is {shown(data['input'])}, and no volume"
    if data["classes"] is not None and not _is_number(data["classes"], MOST_CLASSES):
        return f"`bundle.classes` is {shown(data['classes'])}, and no number of classes"
    if data["variant"] is not None and not isinstance(data["variant"], str):
        return f"`bundle.variant` is {shown(data['variant'])}, and no name"
    if not isinstance(values, dict) or not all(isinstance(key, str) and _is_value(values[key]) for key in values):
        return f"`bundle.set` is {shown(values)}, and no object of numbers and names"
    return None


def shown(value: object) -> str:
    """The beginning of a value, for a message."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _is_volume(value: object) -> bool:
    return isinstance(value, list | tuple) and 1 <= len(value) <= 3 and all(_is_number(size, 10**9) for size in value)


def _is_number(value: object, end: int) -> bool:
    return type(value) is int and 0 < value < end


def _is_value(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or (type(value) is int and abs(value) < 2**63)
