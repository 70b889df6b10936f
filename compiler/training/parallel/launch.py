"""Several processes on this machine: `archspec train --processes N`.

In: their number, and the command that each of them runs. Out: their exit status. `torchrun` starts processes too, on
several machines if need be, but whatever their status is, its own is 1, after a report: a run that was stopped, and can
be resumed, looks like a failure. This process trains nothing and does not import torch; it passes signals on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PARENT = "ARCHSPEC_PARENT"  # in the environment of the processes: the one that started them
STOPPED, LOST = 130, 1
MOMENT = 0.05  # seconds
GRACE = 30.0  # seconds in which the others end by themselves, with their own message, once one has failed
LAST = 10.0  # seconds between SIGTERM and SIGKILL
SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1")  # which a run acts on

Process = subprocess.Popen[bytes]


def launch(count: int, command: Sequence[str], grace: float = GRACE) -> int:
    """Run a command in `count` processes that find each other. Returns the exit status."""
    children: list[Process] = []
    was_lost = False
    with _signals_passed_on(children):
        try:
            for environment in _environments(count):
                children.append(_started(command, environment))
            _wait(children, grace)
        finally:
            was_lost = _end(children)
    return LOST if was_lost else status_of([child.returncode for child in children])


def status_of(codes: Sequence[int]) -> int:
    """Return one exit status for all: that of a failure before that of a stop, and 128 + n for signal n.

    >>> status_of([0, 0]), status_of([130, 130]), status_of([1, -9]), status_of([-15, -15])
    (0, 130, 1, 143)
    """
    found = {128 - code if code < 0 else code for code in codes}
    return min(found - {0, STOPPED}, default=max(found))


def _environments(count: int) -> list[dict[str, str]]:
    """Return what the processes find in their environment, as torchrun would name it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), PARENT: str(os.getpid())}
    shared |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    return [{**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(count)]


def _started(command: Sequence[str], environment: dict[str, str]) -> Process:
    if os.name != "posix":
        return subprocess.Popen(command, env=environment)
    return subprocess.Popen(command, env=environment, process_group=0)  # so that Ctrl-C reaches it once, from here


@contextmanager
def _signals_passed_on(children: list[Process]) -> Iterator[None]:
    def pass_on(number: int, _frame: Any) -> None:
        for child in children:
            child.send_signal(number)

    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(children: list[Process], grace: float) -> None:
    """Wait until all have ended, or until the others had `grace` seconds to end after one has failed."""
    until = float("inf")
    while None in (codes := [child.poll() for child in children]):
        if until == float("inf") and any(code not in (None, 0, STOPPED) for code in codes):
            until = time.monotonic() + grace
        if time.monotonic() > until:
            return
        time.sleep(MOMENT)


def _end(children: list[Process]) -> bool:
    """End those that are left. Says, and returns, whether one was lost before they could notice."""
    left = [child for child in children if child.poll() is None]
    if not left:
        return False
    codes = [child.returncode for child in children]
    for child in left:
        child.terminate()
    until = time.monotonic() + LAST
    while time.monotonic() < until and any(child.poll() is None for child in left):
        time.sleep(MOMENT)
    for child in left:
        child.kill()
        child.wait()
    killed = [rank for rank, code in enumerate(codes) if code is not None and code < 0]
    if not killed or any(code is not None and code > 0 for code in codes):  # which have told it
        return False
    from archspec.compiler.training.parallel.lost import KILLED, LostProcess, tell

    tell(LostProcess(killed[0], KILLED), len(children), 0, "")
    return True
