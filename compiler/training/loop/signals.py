"""Signals to a run, which acts on them between two steps.

In: SIGINT and SIGTERM, to stop; SIGUSR1, to write a checkpoint and continue. Out: flags.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from archspec.compiler.training.parallel.launch import PARENT

ECHO = 2.0  # seconds in which a signal may come twice: from a scheduler, and from the process that it also signalled


class SignalFlags:
    """What signals have asked for."""

    def __init__(self) -> None:
        self.to_stop = False
        self.to_save = False

    def take_save(self) -> bool:
        """Return whether to save, once for each signal."""
        found, self.to_save = self.to_save, False
        return found


@contextmanager
def caught_signals() -> Iterator[SignalFlags]:
    """Set a flag for each signal; a second Ctrl-C or SIGTERM ends the run at once."""
    flags = SignalFlags()
    echo = ECHO if os.environ.get(PARENT) else 0.0
    first = 0.0

    def stop(_number: int, _frame: Any) -> None:
        nonlocal first
        if flags.to_stop and time.monotonic() >= first + echo:
            raise KeyboardInterrupt
        if not flags.to_stop:
            flags.to_stop, first = True, time.monotonic()

    def save(_number: int, _frame: Any) -> None:
        flags.to_save = True

    handlers: dict[signal.Signals, Callable[[int, Any], None]] = {signal.SIGINT: stop, signal.SIGTERM: stop}
    if hasattr(signal, "SIGUSR1"):  # not on Windows
        handlers[signal.SIGUSR1] = save
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield flags
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
