"""Damaged images: how many a run may leave out, and how they are listed.

In: counts and descriptions. Out: a limit and a short list. No file is opened here.
"""

from __future__ import annotations

from collections.abc import Sequence

ALWAYS_ALLOWED = 10
LISTED = 10


def most_damaged(images: int) -> int:
    """Return how many of `images` may be unreadable: 1 %, but at least ten."""
    return max(ALWAYS_ALLOWED, images // 100)


def first_few(descriptions: Sequence[str]) -> tuple[str, ...]:
    """Return the first ten descriptions, and how many more there are."""
    more = (f"and {len(descriptions) - LISTED:,} more",) if len(descriptions) > LISTED else ()
    return (*descriptions[:LISTED], *more)
