"""What a run says while it works: a line that is rewritten in a terminal, a line an epoch in a pipe."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

EVERY = 0.5  # seconds between two looks of the line


class Progress:
    """Prints to a stream."""

    def __init__(self, quiet: bool, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.is_live = not quiet and self.stream.isatty()
        self._last = 0.0
        self._width = 0

    def step(self, text: Callable[[], str]) -> None:
        """How far an epoch is; asked for and shown in terminals only, and not too often."""
        now = time.monotonic()
        if self.is_live and now - self._last >= EVERY:
            self._last = now
            self._rewrite(text())

    def line(self, text: str) -> None:
        """A line that stays."""
        if self.quiet:
            return
        if self.is_live:
            self._rewrite("")
            self.stream.write("\r")
        self.stream.write(text + "\n")
        self.stream.flush()

    def _rewrite(self, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]  # a line that wraps is not written over
        self.stream.write("\r" + text.ljust(self._width))
        self._width = len(text)
        self.stream.flush()


def clock(seconds: float) -> str:
    """A time as people read it: 48 s, 3:05 min, 2:07:00 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"
