"""Damage to bytes and to plain data, as disks, transfers and strangers do it.

In: bytes, or what JSON and pickles are made of, and a generator of chance. Out: the same, changed in a few places.
"""

from __future__ import annotations

import copy
import math
import random
import struct
from typing import Any

EXTREMES = (0, 1, 2, 127, 128, 255, 32767, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 7, 10**9, 2**31, 2**53, 2**63, 10**400, -(10**30)),
    *(0.0, -0.5, 0.5, 1e-320, 1e30, 1e308, math.nan, math.inf, -math.inf),
    *("", "x", "0", "a\0b", "\ud800", "\x1b[31m", "x" * 10_000, "../../etc/passwd", "/dev/zero"),
    *([], {}, [[]], [0], [None] * 100, {"x": {"x": {}}}, [1, 1, 1], [0.5, 0.5, 0.5]),
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with one to four changes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if changed:
            chance.choice(CHANGES)(changed, chance)
    return bytes(changed)


def _place(data: bytearray, chance: random.Random) -> int:
    """Return a place, more often near the head, where sizes are."""
    return chance.randrange(min(len(data), 128) if chance.random() < 0.5 else len(data))


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 20))):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random) -> None:
    start, length = _place(data, chance), chance.choice((1, 4, 16, 200))
    fill = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))
    data[start : start + length] = fill


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    del data[start : start + chance.choice((1, 4, 64))]


def _insert(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    data[start:start] = chance.randbytes(chance.choice((1, 4, 64)))


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    data[start:start] = data[start : start + chance.choice((4, 64, 1000))]


def _number(data: bytearray, chance: random.Random) -> None:
    form = chance.choice(("<H", ">H", "<I", ">I", "<Q"))
    written = struct.pack(form, chance.choice(EXTREMES) % 256 ** struct.calcsize(form))
    start = _place(data, chance)
    data[start : start + len(written)] = written


CHANGES = (_flip, _overwrite, _cut, _remove, _insert, _repeat, _number, _number)


def changed_data(data: Any, chance: random.Random, odd: tuple[Any, ...] = ODD) -> Any:
    """Return plain data with one to three values replaced, removed or renamed."""
    changed = copy.deepcopy(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            return copy.deepcopy(chance.choice(odd))
        shallow = [place for place in places if place[2] <= 1]
        holder, key, _ = chance.choice(shallow if chance.random() < 0.5 else places)
        what = chance.random()
        if what < 0.7:
            holder[key] = copy.deepcopy(chance.choice(odd))
        elif what < 0.8 and isinstance(holder, dict):
            holder[chance.choice(("x", 5, None, ""))] = holder.pop(key)
        elif what < 0.9:
            holder[key] = copy.deepcopy(chance.choice(places)[0])
        else:
            del holder[key]
    return changed


def _places(data: Any, depth: int = 0) -> Any:
    if isinstance(data, dict | list) and depth < 8:
        keys = list(data) if isinstance(data, dict) else range(len(data))
        for key in keys:
            yield data, key, depth
            yield from _places(data[key], depth + 1)
