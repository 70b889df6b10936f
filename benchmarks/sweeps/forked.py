"""Work on numbered inputs in forked processes: what kills a process, or never ends, costs only its own input.

In: a function of a number, and limits. Out: for each number what the function returned, or how its process ended.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

Work = Callable[[int], str]
FORK = multiprocessing.get_context("fork")  # the modules are imported once, in the parent


class Limits(NamedTuple):
    """What an input may take."""

    seconds: float
    bytes: int


class Ended(NamedTuple):
    """What came of an input: what the function returned, or `CRASH ...` or `LATE ...`, and how long it took."""

    number: int
    outcome: str
    seconds: float


class _Worker:
    """A process that waits for numbers."""

    def __init__(self, work: Work, limits: Limits) -> None:
        self.limits = limits
        self.pipe, other = FORK.Pipe()
        self.process = FORK.Process(target=_serve, args=(work, other, limits), daemon=True)
        self.process.start()
        other.close()
        self.number, self.since = -1, 0.0

    def begin(self, number: int) -> None:
        """Give it a number."""
        self.number, self.since = number, time.monotonic()
        self.pipe.send(number)

    def ended(self) -> Ended | None:
        """Return what came of its number, or None while it is at work."""
        seconds = time.monotonic() - self.since
        if self.pipe.poll():
            try:
                return Ended(self.number, self.pipe.recv(), seconds)
            except EOFError:
                self.process.join()
                code = self.process.exitcode or 0
                how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
                return Ended(self.number, f"CRASH {how}", seconds)
        if seconds > self.limits.seconds:
            self.process.kill()
            self.process.join()
            return Ended(self.number, f"LATE: more than {self.limits.seconds:g} s", seconds)
        return None

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(work: Work, pipe: Connection, limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (limits.bytes, limits.bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        pipe.send(work(pipe.recv()))


def ended(work: Work, numbers: Sequence[int], processes: int, limits: Limits) -> Iterator[Ended]:
    """Yield what came of each number, in the order in which they end."""
    todo = list(reversed(numbers))
    workers: list[_Worker] = []
    try:
        while todo or workers:
            while todo and len(workers) < processes:
                workers.append(_Worker(work, limits))
                workers[-1].begin(todo.pop())
            wait([worker.pipe for worker in workers], timeout=0.5)
            for worker in list(workers):
                found = worker.ended()
                if found is None:
                    continue
                yield found
                if todo and worker.process.is_alive():
                    worker.begin(todo.pop())
                else:
                    worker.close()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.close()


def in_a_process(work: Callable[[], Any]) -> None:
    """Do some work in a process of its own, whose threads no later fork inherits."""
    process = FORK.Process(target=work)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"exit status {process.exitcode}")
