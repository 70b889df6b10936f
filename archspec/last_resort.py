"""The end of a command that met an exception nobody foresaw.

In: the exception. Out: one message on standard error that says how to report it, a file with the traceback, and an exit
status. If the file cannot be written, the traceback follows the message.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from archspec import __version__
from archspec.diagnostics.findings import printable
from archspec.streams import silence, unwritable

SOFTWARE = 70  # EX_SOFTWARE of sysexits.h
CANNOT_WRITE = 1
ISSUES = "https://github.com/archspec-nn/archspec/issues"
BUG = "this is a bug in archspec"
LONGEST = 300  # characters of what happened
NO_MEMORY = "can't allocate memory"  # torch's RuntimeError on the CPU


def end(error: Exception) -> int:
    """Report an exception that a command did not catch, and return the exit status."""
    if isinstance(error, OSError) and (stream := unwritable(error)):
        return _say(f"error: cannot write to {stream}: {error.strerror or error}", CANNOT_WRITE)
    happened, more = _described(error)
    text = _traceback(error)
    path = _kept(text)
    where = f"`{path}` has the traceback and the command line" if path else "the traceback follows"
    rank = f"process {os.environ.get('RANK')}: " if os.environ.get("WORLD_SIZE", "1") != "1" else ""
    lines = [f"{rank}error: {happened}", *(f"  = {line}" for line in (*more, where))]
    return _say("\n".join(lines if path else [*lines, text.rstrip()]), SOFTWARE)


def _described(error: Exception) -> tuple[str, tuple[str, ...]]:
    """Return what happened, in one line, and notes."""
    first = traceback.format_exception_only(error)[0].strip().partition("\n")[0]
    line = printable(first)[:LONGEST]
    report = f"help: report it with that file at {ISSUES}"
    if isinstance(error, MemoryError) or NO_MEMORY in str(error):
        return "out of memory", (line, "help: a smaller `--batch` or `--input` takes less memory")
    if isinstance(error, RecursionError):
        return "nested too deeply for Python's stack", (f"{BUG}, which should have refused it", report)
    return f"unexpected {line}", (BUG, report)


def _traceback(error: Exception) -> str:
    head = f"archspec {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv!r}\n\n"
    return head + "".join(traceback.format_exception(error))


def _kept(text: str) -> Path | None:
    """Write a file that only its owner can read, in the temporary folder or else the working directory."""
    try:
        number, name = mkstemp(prefix="archspec-bug-", suffix=".txt")
    except OSError:
        return None
    path = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        with suppress(OSError):
            path.unlink()
        return None
    return path


def _say(text: str, status: int) -> int:
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    silence()
    return status
