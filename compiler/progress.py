"""What a command says while it works: how far it is, in a line that a terminal rewrites, or now and then in a new one.

In: texts. Out: lines on standard error. If they cannot be written, the work continues without them.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from archspec.diagnostics.findings import printable

EVERY = 0.5  # seconds between two updates of a terminal's line
QUIET = 30.0  # seconds without a line, in a pipe or the log of a batch job, after which one says how far the work is


class Progress:
    """Prints to a stream, standard error by default; a quiet one prints nothing."""

    def __init__(self, quiet: bool, stream: TextIO | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.is_live = not quiet and self.stream.isatty()
        self._now = now  # seconds
        self._last = -EVERY if self.is_live else now()
        self._width = 0

    def step(self, text: Callable[[], str]) -> None:
        """Show how far the work is, but not too often. `text` is called when it is shown."""
        if self.quiet or self._now() - self._last < (EVERY if self.is_live else QUIET):
            return
        if self.is_live:
            self._last = self._now()
            self._rewrite(text())
        else:
            self.line(text())

    def line(self, text: str) -> None:
        """Print a line that stays."""
        if self.quiet:
            return
        self.clear()
        if not self.is_live:
            self._last = self._now()
        self._write(printable(text) + "\n")

    def clear(self) -> None:
        """Remove the line that is rewritten, before something else is printed."""
        if self.is_live:
            self._rewrite("")
            self._write("\r")

    def _rewrite(self, text: str) -> None:
        text = printable(text)[: shutil.get_terminal_size().columns - 1]  # a wrapped line could not be overwritten
        self._write("\r" + text.ljust(self._width))
        self._width = len(text)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a full disk, or a terminal that was closed
            self.stream.write(text)
            self.stream.flush()


def clock(seconds: float) -> str:
    """Return a duration as people read it: 48 s, 3:05 min, 2:07:00 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"
