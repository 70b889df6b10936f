"""Files opened for reading, and nothing else under a file's name.

In: a path. Out: an open file, or its bytes up to a limit; OSError for a FIFO, device, socket or folder. Opening a FIFO
would wait for its writer, and a device may have no end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
# to open a FIFO without waiting for its writer, and no terminal as this process's own; Windows has neither
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or a link to one. Raises OSError for a missing file and for anything else."""
    need_regular(path)  # opening a device may already have an effect
    return open(path, "rb", opener=_opened)


def need_regular(path: Path) -> None:
    """Raise OSError unless a path names a regular file: for libraries that open files themselves."""
    _need_regular(path, path.stat().st_mode)


def is_there(path: Path) -> bool:
    """Whether a path names anything; unlike `Path.exists`, this raises nothing for a name that none can have."""
    return _mode(path) is not None


def is_file(path: Path) -> bool:
    """Whether a path names a regular file, or a link to one."""
    return stat.S_ISREG(_mode(path) or 0)


def is_folder(path: Path) -> bool:
    """Whether a path names a folder, or a link to one."""
    return stat.S_ISDIR(_mode(path) or 0)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # a ValueError for a NUL, and for half of a surrogate pair
        return None


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a regular file, but no more than `most` + 1 bytes. Raises OSError."""
    with open_regular(path) as file:
        return file.read(most + 1)


def _opened(path: str, _flags: int) -> int:
    """Open a file, and look at what was opened: since `need_regular` the path may have got another file."""
    number = os.open(path, FLAGS)
    try:
        _need_regular(Path(path), os.fstat(number).st_mode)
    except OSError:
        os.close(number)
        raise
    return number


def _need_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))
