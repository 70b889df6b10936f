"""The command that starts a run's processes, for messages that recommend it.

In: their number, and the machines that they are on now. Out: a command line.
"""

from __future__ import annotations

import os


def command_line(size: int, arguments: str) -> str:
    """Return the command that trains with `size` processes, as now on one machine or on several."""
    local = os.environ.get("LOCAL_WORLD_SIZE", "")
    if size == 1:
        return f"archspec train {arguments}"
    if local.isdecimal() and 0 < int(local) < size:
        nodes = f"--nnodes {size // int(local)} --nproc-per-node {local}"
        return f"torchrun {nodes} -m archspec train {arguments}"
    return f"archspec train --processes {size} {arguments}"
