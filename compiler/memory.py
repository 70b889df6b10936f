"""How much memory a device has, and the one refusal of what does not fit.

In: a device, bytes. Out: bytes and their text, or E474 before anything is allocated.
"""

from __future__ import annotations

import os

import torch

from archspec.diagnostics.errors import failure

CPU = torch.device("cpu")
MIB, GIB = 2**20, 2**30
MOST_GIB = 1_000_000  # beyond which the number says nothing more
_NAMES = {"cpu": "machine", "cuda": "GPU"}


def memory_of(device: torch.device) -> int:
    """Return the bytes of the GPU, or of the machine."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if not hasattr(os, "sysconf"):  # Windows, where it is unknown
        return 2**63
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def need_memory(needs: int, what: str, device: torch.device, helps: tuple[str, ...]) -> None:
    """Raise ArchspecError if `what`, such as "a step of one image", takes more memory than the device has."""
    has = memory_of(device)
    if needs > has:
        message = f"{what} takes {size_text(needs)}, but the {_NAMES[device.type]} has {size_text(has)}"
        raise failure("E474", message, helps=helps)


def less(weights: int, device: torch.device, without: str = "use smaller layers") -> str:
    """Return how to take less memory: by a smaller input, or `without` it if the weights alone do not fit."""
    first = without if weights > memory_of(device) else "use a smaller `--input`"
    return f"{first}, or use a {_NAMES[device.type]} with more memory"


def size_text(size: int) -> str:
    """Return bytes as `10.51 GiB` or `3.2 MiB`.

    >>> size_text(3 * 2**29), size_text(60_000 * 2**30), size_text(2**90)
    ('1.50 GiB', '60,000.00 GiB', 'more than 1,000,000 GiB')
    """
    if size > MOST_GIB * GIB:
        return f"more than {MOST_GIB:,} GiB"
    return f"{size / GIB:,.2f} GiB" if size >= GIB else f"{size / MIB:.3g} MiB"
