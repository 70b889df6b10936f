"""How many threads torch computes with on the CPU.

In: a network, the images of a batch, the processes on this machine. Out: a number of threads, and why.

Each layer's work is shared out to the threads, which wait for each other at its end. Where a layer takes a few
microseconds that waiting is most of the time, and on a busy machine, where a thread may not be running at all, it is
many times the work.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch

from archspec.api import Network
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import plural

LEAST_WORK = 30_000_000  # MACs of a batch in a layer, from which on more threads pay: benchmarks/results/threads.md
MOST_PER_CORE = 8  # threads: more of them only wait
VARIABLE = "OMP_NUM_THREADS"


class Threads(NamedTuple):
    """A number of threads, and why it was chosen."""

    number: int
    reason: str


def threads_for(network: Network, batch: int, processes: int = 1) -> Threads:
    """Return how many threads each of the processes on this machine uses: what the environment says, or the rule's."""
    given = os.environ.get(VARIABLE, "")
    if given:
        return Threads(torch.get_num_threads(), f"{VARIABLE}={given}")
    has = cores()
    work = work_per_layer(network, batch)
    if work < LEAST_WORK:
        return Threads(1, f"{network.title} has too little work per layer for more ({work:,} MACs a batch)")
    if processes > 1:
        return Threads(max(1, has // processes), f"{has} cores for {processes} processes")
    return Threads(has, "one per core" + _warning(has))


def _warning(has: int) -> str:
    """What to say of cores that are busy. They do not change the number: two runs would have different sums."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f", but their load is {load:.1f}: `--threads 1` may be faster" if has > 1 and load > has else ""


def work_per_layer(network: Network, batch: int) -> int:
    """Return the MACs of a batch in a layer with weights, on average."""
    graph = network.graph
    layers = sum(bool(node.inputs) and node.layer.is_weight_layer for node in graph.nodes)
    return batch * (network.macs + network.attention_macs) // max(1, layers)


def need_sensible(count: int) -> None:
    """Raise ArchspecError for far more threads than this machine has cores."""
    has = cores()
    if count > MOST_PER_CORE * has:
        helps = (f"`--threads {has}`",)
        raise failure("E120", f"`--threads {count:,}`: this machine has {plural(has, 'core')}", helps=helps)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def computing_with(count: int) -> Iterator[None]:
    """Compute with this many threads for a while; 0 changes nothing."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
