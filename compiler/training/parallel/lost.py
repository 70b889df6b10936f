"""What the processes of a run say when one of them is lost.

In: which one, and how. Out: a message of the lowest process that is left on the machine.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from archspec.compiler.training.parallel.command_line import command_line
from archspec.compiler.weights.trained import CHECKPOINTS
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.diagnostics.rendering import render

KILLED, SILENT, FAILED = "killed", "silent", "failed"
DONE = "done"  # said by a process that has not been lost
TURN = 0.02  # seconds between two processes that try to be the one that speaks


class LostProcess(NamedTuple):
    """The process that was lost, and how: `killed`, `silent` or `failed`."""

    rank: int
    how: str


def tell(loss: LostProcess, size: int, patience: int, folder: str) -> None:
    """Print on standard error which process was lost, and how to continue."""
    how = {
        KILLED: "was killed or crashed",
        SILENT: f"has not answered for {plural(patience, 'second')}",
        FAILED: "ended with an error, which it printed",
    }[loss.how]
    notes = ("the system kills processes when memory runs out: `dmesg` shows it",) * (loss.how == KILLED)
    finding = Diagnostic("E477", f"process {loss.rank} of {size} {how}", notes=notes, helps=(_help(size, folder),))
    with suppress(OSError):
        sys.stderr.write(f"{render(finding)}\n1 error; `archspec explain E477` says more\n")
        sys.stderr.flush()


def _help(size: int, folder: str) -> str:
    if folder and any(Path(folder).glob(CHECKPOINTS)):
        return f"`{command_line(size, f'--resume {folder}')}` continues from the last checkpoint"
    return "the run has no checkpoint yet: start it again"


def is_speaker(token: str, rank: int) -> bool:
    """Whether this process is the first to ask, of those on this machine that are left: lower ones ask earlier."""
    time.sleep(TURN * rank)
    if not hasattr(socket, "AF_UNIX") or not sys.platform.startswith("linux"):
        return rank == 1
    place = socket.socket(socket.AF_UNIX)
    try:
        place.bind(f"\0archspec-{token}")  # an abstract name, which ends with its process
    except OSError:
        return False
    os.set_inheritable(place.detach(), False)  # open until the process ends
    return True
