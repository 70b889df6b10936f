"""What is alive at a moment, in bytes by purpose, and the most that ever was.

In: allocations and releases as they happen. Out: the `Peak`. When they happen is decided in `liveness.py`.
"""

from __future__ import annotations

from typing import Literal, get_args

from archspec.record import Record

Part = Literal[
    "parameters", "momentum", "buffers", "input", "activations", "gradients of maps", "gradients of parameters"
]


class Peak(Record):
    """The worst moment: `total` bytes are alive `at` it, and `parts` breaks them down."""

    total: int
    at: str
    parts: dict[str, int]


class Storage:
    """Bytes that are freed with their last holder."""

    __slots__ = ("holders", "part", "size")

    def __init__(self, size: int, part: Part) -> None:
        self.size = size
        self.part = part
        self.holders = 1


class Heap:
    """What is alive, and the most that ever was. `moment` is a phase and the name of a layer, or empty."""

    def __init__(self) -> None:
        self.alive: dict[str, int] = dict.fromkeys(get_args(Part), 0)
        self.total = 0
        self.moment = ("start", "")
        self.worst = (0, ("start", ""), dict(self.alive), 0)

    def allocate(self, size: int, part: Part) -> Storage:
        """Allocate bytes, with one holder."""
        self.alive[part] += size
        self.total += size
        self.spike(0)
        return Storage(size, part)

    def spike(self, size: int) -> None:
        """Note that `size` more bytes are alive for an instant."""
        if self.total + size > self.worst[0]:
            self.worst = (self.total + size, self.moment, dict(self.alive), size)

    def release(self, storage: Storage) -> None:
        """Drop one holder; the last one frees the bytes."""
        storage.holders -= 1
        if storage.holders == 0:
            self.alive[storage.part] -= storage.size
            self.total -= storage.size

    @property
    def peak(self) -> Peak:
        """The worst moment so far."""
        total, moment, alive, temporary = self.worst
        return Peak(total, " of ".join(filter(None, moment)), {**alive, "temporary": temporary})
