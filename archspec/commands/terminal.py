"""What the terminal of a stream shows: how many columns, and whether colours.

The environment decides as its conventions say, in Python's own order: a non-empty `NO_COLOR` (no-color.org) means no
colours, then a non-empty `FORCE_COLOR` (force-color.org) means colours, also without a terminal; then `TERM=dumb` means
none.
"""

from __future__ import annotations

import os
from typing import TextIO

NARROWEST, WIDEST = 40, 140


def columns(stream: TextIO) -> int | None:
    """Return the columns to use in the stream's terminal; None without a terminal, or if it does not say."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None
    return min(max(width, NARROWEST), WIDEST) if width else None


def has_colours(stream: TextIO) -> bool:
    """Whether to write colours to the stream."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()
