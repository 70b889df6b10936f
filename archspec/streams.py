"""Standard input, output and error that are closed or cannot be written.

In: the three streams of the process, an error. Out: streams that exist, and which of them the error comes from.
"""

from __future__ import annotations

import os
import sys

OUTPUTS = {"standard output": "stdout", "standard error": "stderr"}


def open_closed() -> None:
    """Open those of the three streams that are closed, or the next file that is opened would take their place.

    Reading standard input and writing standard output then still fail, as on a closed stream.
    """
    if sys.stdin is None:
        os.open(os.devnull, os.O_WRONLY)  # the lowest number that is free: 0, then 1, then 2
        sys.stdin = os.fdopen(0, encoding="utf-8")
    if sys.stdout is None:
        os.open(os.devnull, os.O_RDONLY)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    if sys.stderr is None:
        os.open(os.devnull, os.O_WRONLY)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")


def unwritable(error: OSError) -> str | None:
    """Return the output that an error comes from: the frame that raised it wrote to that stream."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    used = [] if trace is None else [*trace.tb_frame.f_locals.values()]
    found = [name for name, stream in OUTPUTS.items() if any(value is getattr(sys, stream) for value in used)]
    return found[0] if found else None


def silence() -> None:
    """Drop text that cannot be written: at its exit Python would try once more, and complain."""
    for stream in OUTPUTS.values():
        try:
            getattr(sys, stream).flush()
        except OSError:
            number = os.open(os.devnull, os.O_WRONLY)
            os.dup2(number, getattr(sys, stream).fileno())
            os.close(number)
