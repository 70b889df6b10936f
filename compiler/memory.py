"""How much memory a device has, and the one refusal of what does not fit.

In: a device, bytes. Out: bytes and their text, or E474 before anything is allocated. A container or a job of Slurm may
have less than the machine: its control group says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch

from archspec.diagnostics.errors import failure

CPU = torch.device("cpu")
MIB, GIB = 2**20, 2**30
MOST_GIB = 1_000_000  # beyond which the number says nothing more
UNLIMITED = 2**60  # from which on a control group's limit is none: version 1 writes almost 2**63
V2, V1 = "memory.max", "memory.limit_in_bytes"  # the files of the two versions


class Memory(NamedTuple):
    """Bytes, and who has them: `machine`, `GPU`, `container` or `process`."""

    size: int
    owner: str


def memory_of(device: torch.device) -> int:
    """Return the bytes of the GPU, or those that this process may use of the machine's."""
    return found_memory(device).size


def found_memory(device: torch.device) -> Memory:
    """Return the memory of a device: on the CPU the least of the machine's, its container's and the process's limit."""
    if device.type == "cuda":
        return Memory(torch.cuda.get_device_properties(device).total_memory, "GPU")
    has = [Memory(2**63, "machine")]  # Windows, where it is unknown
    if hasattr(os, "sysconf"):
        has = [Memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "machine")]
    has += [Memory(limit, "container") for limit in group_limits()]
    with suppress(ImportError, OSError):  # Windows has no such module
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)  # `ulimit -v`
        has += [Memory(limit, "process")] * (limit != resource.RLIM_INFINITY)
    return min(has, key=lambda one: one.size)


def group_limits(root: Path = Path("/")) -> list[int]:
    """Return the memory limits of this process's control groups and of those above them.

    `root` is where the system's files lie. In a container the path in /proc may be that of the host, of which only the
    end, or nothing, is mounted: then the mounted folder itself is the container's.
    """
    found = []
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            mounts = root / "sys/fs/cgroup"
            if not kinds:
                found += [*_limits(mounts, path, V2), *_limits(mounts / "unified", path, V2)]
            elif "memory" in kinds.split(","):
                found += _limits(mounts / "memory", path, V1)
    return found


def _limits(mount: Path, path: str, name: str) -> Iterator[int]:
    """Yield the limits from a group up to the top."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for count in range(len(parts), -1, -1):
        with suppress(OSError, ValueError):  # `max`, or a group of the host that is not mounted here
            limit = int(mount.joinpath(*parts[:count], name).read_text())
            if 0 < limit < UNLIMITED:
                yield limit


def need_memory(needs: int, what: str, device: torch.device, helps: tuple[str, ...]) -> None:
    """Raise ArchspecError if `what`, such as "a step of one image", takes more memory than the device has."""
    has = memory_of(device)
    if needs > has:
        message = f"{what} takes {size_text(needs)}, but the {found_memory(device).owner} has {size_text(has)}"
        raise failure("E474", message, helps=helps)


def less(weights: int, device: torch.device, without: str = "use smaller layers") -> str:
    """Return how to take less memory: by a smaller input, or `without` it if the weights alone do not fit."""
    first = without if weights > memory_of(device) else "use a smaller `--input`"
    return f"{first}, or use a {found_memory(device).owner} with more memory"


def size_text(size: int) -> str:
    """Return bytes as `10.51 GiB` or `3.2 MiB`.

    >>> size_text(3 * 2**29), size_text(60_000 * 2**30), size_text(2**90)
    ('1.50 GiB', '60,000.00 GiB', 'more than 1,000,000 GiB')
    """
    if size > MOST_GIB * GIB:
        return f"more than {MOST_GIB:,} GiB"
    return f"{size / GIB:,.2f} GiB" if size >= GIB else f"{size / MIB:.3g} MiB"
