"""How much memory a run took.

In: the device. Out: the peak so far, and what was measured: on a GPU and on a CPU it is not the same thing.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch

from archspec.compiler.memory import size_text

KIB = 1024
STATUS = Path("/proc/self/status")  # of Linux
HIGH_WATER = "VmHWM:"


class PeakMemory(NamedTuple):
    """Bytes, and what they are."""

    size: int
    what: str

    @property
    def text(self) -> str:
        """The same for people."""
        return f"{size_text(self.size)} {self.what}"


def peak_memory(device: torch.device) -> PeakMemory | None:
    """Return the peak of this process: what torch allocated on the GPU, or on a CPU all that was resident.

    None where the system does not say.
    """
    if device.type == "cuda":
        return PeakMemory(torch.cuda.max_memory_allocated(device), "of tensors on the GPU, at the peak")
    resident = _resident()
    return (
        None if resident is None else PeakMemory(resident, "of the process at its peak, with Python, torch and images")
    )


def _resident() -> int | None:
    with suppress(OSError, ValueError):  # the kernel's own figure: getrusage counts what a parent had before it forked
        for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(HIGH_WATER):
                return int(line.split()[1]) * KIB
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIB
