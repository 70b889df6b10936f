"""A fault of the machine, a command that meets it, and what is expected; and what several rows have in common.

In: nothing. Out: `Row`, for the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FULL = "error: cannot write to standard output: No space left on device"
CLOSED = "error: cannot write to standard output: Bad file descriptor"
GONE = "mkdir gone; cd gone; rmdir ../gone; "
NO_FOLDER = r"error\[E478\]: the working directory cannot be used: No such file or directory"
NEW = r"new/.+"
TRAIN = "archspec train net.arch --epochs 1 --batch 64"
PROCESS = '"$PYTHON" -m archspec'  # `archspec` is a function of the shell, whose process would get the signals


class Row(NamedTuple):
    """A fault, a command that meets it, and what is expected. `left` is a pattern of the paths that differ then."""

    fault: str
    command: str
    status: int
    says: str = ""
    left: str = ""
    is_ordinary: bool = False  # run as a user who has to obey permissions


def each(fault: str, template: str, commands: Sequence[str], status: int, says: str = "") -> list[Row]:
    """One row for each command."""
    return [Row(fault, template.format(command), status, says) for command in commands]
