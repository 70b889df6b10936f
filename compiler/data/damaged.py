"""Damaged images: how many a run may leave out, which ones it has, and how they are listed.

In: counts, paths and descriptions. Out: a limit, a `DamagedImages` and a short list. No file is opened here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ALWAYS_ALLOWED = 10
LISTED = 10


def most_damaged(images: int) -> int:
    """Return how many of `images` may be unreadable: 1 %, but at least ten."""
    return max(ALWAYS_ALLOWED, images // 100)


def first_few(descriptions: Sequence[str]) -> tuple[str, ...]:
    """Return the first ten descriptions, and how many more there are."""
    more = (f"and {len(descriptions) - LISTED:,} more",) if len(descriptions) > LISTED else ()
    return (*descriptions[:LISTED], *more)


class DamagedImages:
    """The unreadable images of a run in one of its processes: those that all processes know of, and its own since."""

    def __init__(self, shared: Iterable[str], most: int) -> None:
        self.shared, self.own, self.most = set(shared), set[str](), most

    @property
    def paths(self) -> list[str]:
        """All that this process knows of, sorted."""
        return sorted(self.shared | self.own)

    def add(self, path: str) -> bool:
        """Note an image. Returns False for one that was known."""
        is_new = path not in self.shared and path not in self.own
        if is_new:
            self.own.add(path)
        return is_new

    def may_be_too_many(self, own: int) -> bool:
        """Whether there may be too many, with a sum of `own` over all processes, in which an image may count twice."""
        return len(self.shared) + own > self.most

    def share(self, paths: Iterable[str]) -> bool:
        """Note what the processes have gathered. Returns whether there are too many."""
        self.shared, self.own = {*paths}, set()
        return len(self.shared) > self.most
