"""Calls in Python's syntax, read without running or importing anything.

In: text. Out: the calls in it in order, with their arguments as texts. Each character is looked at a bounded number of
times, and nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archspec.record import Record

_OPENING = re.compile(r"([A-Za-z_][\w.]*) ?\(")
_NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)\s*(.*)", re.DOTALL)
_CONTAINERS = frozenset(("Sequential", "ModuleList", "OrderedDict", "add", "Model", "append", "add_module", "compile"))
MOST = 20_000  # characters of the arguments of one call


class Call(Record):
    """`nn.Conv2d(3, 64, kernel_size=7)`: its last name, its arguments, where it stands, and the name before the dot."""

    name: str
    values: tuple[str, ...]
    named: tuple[tuple[str, str], ...]
    start: int
    end: int
    owner: str = ""

    def get(self, place: int | None, *names: str) -> str | None:
        """Return the argument at a place or with one of some names."""
        for name, value in self.named:
            if name in names:
                return value
        return self.values[place] if place is not None and place < len(self.values) else None

    def pair(self, place: int | None, *names: str) -> tuple[int, int] | None:
        """Return an argument that is one size, or one for each dimension."""
        sizes = numbers(self.get(place, *names))
        return None if not sizes or len(sizes) > 2 else (sizes[0], sizes[-1])

    def number(self, place: int | None, *names: str) -> int | None:
        """Return an argument that is a whole number."""
        sizes = numbers(self.get(place, *names))
        return sizes[0] if sizes and len(sizes) == 1 else None

    def word(self, place: int | None, *names: str) -> str:
        """Return an argument that is a word, without quotes."""
        value = self.get(place, *names) or ""
        return value.strip("\"'").rsplit(".", 1)[-1].lower()


def numbers(text: str | None) -> tuple[int, ...] | None:
    """Return the whole numbers of `64`, `(3, 3)` or `[224, 224]`; None for anything else."""
    if text is None or not re.fullmatch(r"[(\[]? *\d{1,9}(?: *, *\d{1,9})* *,? *[)\]]?", text):
        return None
    return tuple(int(number) for number in re.findall(r"\d+", text))


def calls(text: str) -> Iterator[Call]:
    """Yield the calls in a text, those inside a container one by one."""
    at, closings = 0, _closings(text)
    while found := _OPENING.search(text, at):
        *owner, name = found[1].rsplit(".", 2)
        at = found.end()
        if name in _CONTAINERS:
            continue
        end = closings.get(at)
        if end is None or end - at > MOST:
            continue
        values, named = _arguments(text[at:end])
        yield Call(name, values, named, found.start(), end + 1, owner[-1] if owner else "")
        at = end + 1


def _closings(text: str) -> dict[int, int]:
    """Return where each parenthesis is closed, by the place after it was opened."""
    closings: dict[int, int] = {}
    opened: list[int] = []
    for place, character in enumerate(text):
        if character in "([{":
            opened.append(place)
        elif character in ")]}" and opened:
            closings[opened.pop() + 1] = place
    return closings


def _arguments(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    values, named = [], []
    for part in parts:
        found = _NAMED.fullmatch(part)
        if found:
            named.append((found[1], found[2].strip()))
        elif part.strip():
            values.append(part.strip())
    return tuple(values), tuple(named)
