"""Signals to a run, which acts on them between two steps.

In: SIGINT and SIGTERM, to stop; SIGUSR1, to write a checkpoint and continue. Out: flags.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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

    def stop(_number: int, _frame: Any) -> None:
        if flags.to_stop:
            raise KeyboardInterrupt
        flags.to_stop = True

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
