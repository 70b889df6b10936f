"""Files written atomically: complete or not at all.

In: a path and bytes. Out: a file that was flushed to the disk before it got its name. What a killed process left beside
it is cleared first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from archspec.compiler.weights.left_overs import clear_left_overs, exclusive, held, temporary_name
from archspec.diagnostics.errors import failure


def replace_file(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, and rename it. Raises ArchspecError."""
    temporary: Path | None = None
    try:
        target = path.resolve()  # a link stays, and its target is written
        if target.exists() and not target.is_file():
            raise OSError("not a regular file")
        with exclusive(target.parent):
            clear_left_overs(target.parent, lambda name: name == target.name)
            temporary = target.with_name(temporary_name(target.name))
            temporary.touch(exist_ok=False)
            lock = held(temporary)
        with lock:
            write_flushed(temporary, lambda file: file.write(data))
            temporary.replace(target)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links is a RuntimeError, a NUL a ValueError
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        reason = getattr(error, "strerror", None) or error
        message = f"cannot write `{path}`: {reason}"
        raise failure("E422", message, helps=("an earlier file of that name is unchanged",)) from None
    flush_folder(target.parent)


def write_flushed(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a file and flush it to the disk. Raises OSError."""
    with path.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
