"""Counts what came of many specs.

In: kinds and seeds. Out: a `Tally`, which adds up over processes. What an outcome is, `spec_outcome` says.
"""

from __future__ import annotations

import heapq
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

from benchmarks.sweeps.spec_outcome import outcome
from benchmarks.sweeps.spec_texts import kind_of, make

SECONDS = 1.0  # of a processor for one spec, not counting what others take of the machine
STUCK = 60  # seconds after which a spec counts as one that hangs
KEPT = 5  # of the slowest and of the largest
NETWORK = "network"


class Extreme(NamedTuple):
    """How much, of which input."""

    amount: float
    kind: str
    seed: int


class Failure(NamedTuple):
    """An input that broke a promise, and how."""

    kind: str
    seed: int
    why: str


class Tally:
    """What came of some inputs."""

    def __init__(self) -> None:
        self.results: Counter[tuple[str, str]] = Counter()  # by kind: a network, the first error's group, or a failure
        self.codes: Counter[str] = Counter()  # inputs with this code
        self.past_parsing: Counter[str] = Counter()  # by kind
        self.slowest: list[Extreme] = []
        self.largest: list[Extreme] = []
        self.failures: list[Failure] = []

    def count(self, kind: str, seed: int) -> None:
        """Make an input, and count what comes of it."""
        try:
            given = make(kind, seed)
            start = time.process_time()
            found = outcome(given)
        except Exception as error:
            self.fail(kind, seed, f"{type(error).__name__}: {error!s:.300}")
            return
        seconds = time.process_time() - start
        self._keep(Extreme(seconds, kind, seed), Extreme(found.written, kind, seed))
        if seconds > SECONDS:
            self.fail(kind, seed, f"it took {seconds:.1f} s")
            return  # each input is counted once
        errors = [code[:2] for code in found.codes if code[0] == "E"]
        self.results[kind, NETWORK if found.is_network else errors[0]] += 1
        self.codes.update(found.codes)
        self.past_parsing[kind] += found.is_past_parsing

    def fail(self, kind: str, seed: int, why: str) -> None:
        """Record a broken promise."""
        self.results[kind, "failures"] += 1
        self.failures.append(Failure(kind, seed, why))

    def add(self, other: Tally) -> None:
        """Add what another process counted."""
        self.results += other.results
        self.codes += other.codes
        self.past_parsing += other.past_parsing
        self.failures += other.failures
        for slow, large in zip(other.slowest, other.largest, strict=True):
            self._keep(slow, large)

    def _keep(self, slow: Extreme, large: Extreme) -> None:
        self.slowest = heapq.nlargest(KEPT, [*self.slowest, slow])
        self.largest = heapq.nlargest(KEPT, [*self.largest, large])

    @property
    def total(self) -> int:
        """The number of inputs."""
        return self.results.total()

    @property
    def networks(self) -> int:
        """The number of inputs that are networks."""
        return sum(count for (_, result), count in self.results.items() if result == NETWORK)


def tally(numbers: Iterable[int]) -> Tally:
    """Count what comes of the inputs with these numbers, which are their seeds too."""
    found = Tally()
    for number in numbers:
        with _deadline(STUCK):
            found.count(kind_of(number), number)
    return found


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what is still at it after some seconds, where the system has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"still at it after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
