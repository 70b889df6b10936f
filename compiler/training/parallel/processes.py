"""The processes of a run: one, or those that `--processes` or `torchrun` started.

In: the environment. Out: a `Group`, through which a run talks to the others. Without either it is a group of one.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from archspec.compiler.training.parallel.command_line import command_line
from archspec.compiler.training.parallel.lost import DONE, FAILED
from archspec.compiler.training.parallel.watch import Watch
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural

Result = TypeVar("Result")
DIGITS = 10
JOINING = 300  # seconds until all processes must have started
SILENCE = 60  # seconds until a process that does not answer counts as lost
STORE = timedelta(minutes=30)  # torch's default, for what the store is asked once all have joined
CONNECTION = re.compile("gloo|nccl|connection|socket", re.IGNORECASE)  # in the text of torch's error


@dataclass(frozen=True)
class Group:
    """A process and its place among the others; the first one prints and writes.

    Each has the whole network and its own images (a replica), or in a pipeline one stage and the same images.
    """

    rank: int
    size: int
    device: torch.device
    is_pipeline: bool = False
    watch: Watch | None = field(default=None, compare=False)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    @property
    def replicas(self) -> int:
        """How many processes see different images."""
        return 1 if self.is_pipeline else self.size

    @property
    def replica(self) -> int:
        """Which of the replicas this one is, from 0."""
        return 0 if self.is_pipeline else self.rank

    @property
    def neighbours(self) -> int:
        """How many of the processes are on this machine, with this one."""
        given = os.environ.get("LOCAL_WORLD_SIZE", "")
        return int(given) if given.isdecimal() and len(given) < DIGITS and 0 < int(given) < self.size else self.size

    @property
    def sharing_memory(self) -> int:
        """How many of the processes share this one's memory: each GPU has its own."""
        return 1 if self.device.type == "cuda" else self.neighbours

    def seed(self, number: int) -> None:
        """Seed the device's random numbers. `torch.manual_seed` also records its caller for each unused kind of device,
        which takes longer than a small step."""
        torch.default_generator.manual_seed(number)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(number)

    def total(self, numbers: Tensor) -> Tensor:
        """Return the sum over all images of what each process counted for its own, in place."""
        if self.replicas > 1:
            distributed.all_reduce(numbers)
        return numbers

    def collected(self, numbers: Tensor) -> Tensor:
        """Return in one tensor, on the CPU, what the processes have for their own images."""
        if self.replicas == 1:
            return numbers.cpu()
        parts: list[Any] = [None] * self.size
        distributed.all_gather_object(parts, numbers.cpu())
        return torch.cat(parts)

    def norm_over_stages(self, norm: Tensor) -> Tensor:
        """Return the norm over all stages of a pipeline, given the norm of each."""
        if not self.is_pipeline:
            return norm
        squares = norm**2
        distributed.all_reduce(squares)
        return squares**0.5

    def agree(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether any process has set it."""
        return tuple(map(bool, self.sums(*flags)))

    def sums(self, *counts: int) -> tuple[int, ...]:
        """Return for each count its sum over all processes. It does not wait for a GPU."""
        if self.size == 1:
            return counts
        numbers = torch.tensor(counts, dtype=torch.int32)  # on the CPU, where gloo adds it up
        distributed.all_reduce(numbers)
        return tuple(numbers.tolist())

    def first(self, work: Callable[[], Result]) -> Result | None:
        """Do some work in the first process, and return its result there. If it raises ArchspecError, so do all."""
        found: Result | None = None
        wrong: ArchspecError | None = None
        if self.is_first:
            try:
                found = work()
            except ArchspecError as error:
                wrong = error
        (failed,) = self.agree(wrong is not None)
        if failed:
            raise wrong or ArchspecError(())  # the first one reports it
        return found

    def name_folder(self, path: Path | None) -> None:
        """Tell all processes the folder of the first, which their message names if one of them is lost."""
        if self.watch is not None:
            said: list[Any] = [str(path)]
            distributed.broadcast_object_list(said)
            self.watch.folder = said[0]

    def gathered(self, texts: Iterable[str]) -> list[str]:
        """Return the texts of all processes, sorted and without duplicates."""
        parts: list[Any] = [list(texts)]
        if self.size > 1:
            parts = [None] * self.size
            distributed.all_gather_object(parts, list(texts))
        return sorted({text for part in parts for text in part})


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """Join the group of processes that were started together, and leave it at the end."""
    size, rank, local_rank = _place()
    kind = "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
    place = torch.device(kind, local_rank) if kind == "cuda" else torch.device("cpu")
    if size == 1:
        yield Group(0, 1, place)
        return
    if kind == "cuda":
        torch.cuda.set_device(place)
    _meet(size, rank, "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo")
    try:
        yield from _watched(Group(rank, size, place, watch=_watch(size, rank)))
    finally:
        distributed.destroy_process_group()


def _place() -> tuple[int, int, int]:
    """Return the number of processes, the rank of this one, and its rank on this machine."""
    given = {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}
    given.update({name: os.environ[name] for name in given if os.environ.get(name)})
    size, rank, local_rank = (int(text) if text.isdecimal() and len(text) < DIGITS else -1 for text in given.values())
    if not 0 <= rank < size or local_rank < 0:
        said = ", ".join(f"{name}={text}" for name, text in given.items())
        helps = ("`torchrun` sets these variables; `unset WORLD_SIZE RANK LOCAL_RANK` trains in one process",)
        raise failure("E473", f"invalid process numbers in the environment: {said}", helps=helps)
    return size, rank, local_rank


def _watched(group: Group) -> Iterator[Group]:
    watch, word = group.watch, FAILED
    assert watch is not None
    try:
        yield group
        # DDP's reducer has threads that use the group: it is freed first, and all processes leave together
        gc.collect()
        distributed.barrier()
        word = DONE
    except RuntimeError as error:  # perhaps of an operation without a process that was lost
        watch.settle()
        if CONNECTION.search(str(error)):
            notes = (str(error).splitlines()[0],)
            raise failure("E477", "the connection to another process was lost", notes=notes) from None
        raise
    finally:
        watch.leave(word)


def _meet(size: int, rank: int, backend: str) -> None:
    """Connect the processes. Raises ArchspecError."""
    patience = _seconds(JOINING)
    helps = (f"`{command_line(size, '...')}` starts them",)
    try:
        store, *_ = next(iter(rendezvous("env://", timeout=timedelta(seconds=patience))))
        if missing := _missing(store, size, rank, patience):
            numbers = ", ".join(map(str, missing))
            message = f"{numbers} of the {size} processes did not join within {plural(patience, 'second')}"
            raise failure("E473", message, helps=helps)
        store.set_timeout(STORE)
        distributed.init_process_group(backend, store=store, rank=rank, world_size=size)
    except (ValueError, RuntimeError) as error:
        raise _unconnected(size, error) from None


def _watch(size: int, rank: int) -> Watch:
    try:
        return Watch(rank, size, _seconds(SILENCE))
    except RuntimeError as error:  # another process ended meanwhile
        raise _unconnected(size, error) from None


def _unconnected(size: int, error: Exception) -> ArchspecError:
    helps = (f"`{command_line(size, '...')}` starts them",)
    return failure("E473", f"cannot connect {size} processes", notes=(str(error).splitlines()[0],), helps=helps)


def _missing(store: Store, size: int, rank: int, patience: int) -> list[int]:
    """Wait for all processes. Returns those that did not come."""
    keys = [f"archspec/{number}" for number in range(size)]
    store.set(keys[rank], "")
    try:
        store.wait(keys, timedelta(seconds=patience))
    except RuntimeError:
        return [number for number, key in enumerate(keys) if not store.check([key])]
    return []


def _seconds(default: int) -> int:
    """Return the seconds of ARCHSPEC_TIMEOUT, or `default`."""
    given = os.environ.get("ARCHSPEC_TIMEOUT", "")
    return int(given) if given.isdecimal() and len(given) < DIGITS and int(given) else default
