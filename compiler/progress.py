"""What a command says while it works: in a terminal also a line that is rewritten.

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

EVERY = 0.5  # seconds between two updates of the line


class Progress:
    """Prints to a stream, standard error by default; a quiet one prints nothing."""

    def __init__(self, quiet: bool, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.is_live = not quiet and self.stream.isatty()
        self._last = 0.0
        self._width = 0

    def step(self, text: Callable[[], str]) -> None:
        """Show how far the work is: in terminals only, and not too often. `text` is called when it is shown."""
        now = time.monotonic()
        if self.is_live and now - self._last >= EVERY:
            self._last = now
            self._rewrite(text())

    def line(self, text: str) -> None:
        """Print a line that stays."""
        if self.quiet:
            return
        if self.is_live:
            self._rewrite("")
            self._write("\r")
        self._write(printable(text) + "\n")

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
