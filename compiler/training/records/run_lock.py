"""The lock of a run's folder: one process writes into it at a time.

In: a folder. Out: a lock that the system releases when the process ends, however it ends. It is a POSIX record lock:
processes that decode images do not inherit it, as they would `flock`, and NFS has it. File systems without locks, and
Windows, go without.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from archspec.compiler.weights.left_overs import HELD
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import printable
from archspec.regular_file import is_file, is_there

LOCK = ".lock"
UNKNOWN = "another process"
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # nor wait for the other end of a FIFO


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder. Raises ArchspecError if it cannot be written, or another process holds the lock."""
    path = folder / LOCK
    if path.is_symlink() or (is_there(path) and not is_file(path)):
        message = f"cannot write into `{folder}`: `{LOCK}` is {'a link' if path.is_symlink() else 'not a regular file'}"
        raise failure("E422", message, helps=(f"`rm {path}` removes it",))
    try:
        number = _opened(path)
    except OSError as error:
        message = f"cannot write into `{folder}`: {error.strerror or error}"
        raise failure("E422", message, helps=("give permission to write into it, or choose another folder",)) from None
    with suppress(OSError):  # a full disk: the lock does not need its text
        os.truncate(number, 0)
        os.pwrite(number, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(number)


def _opened(path: Path) -> int:
    """Open and lock the file. Raises OSError, and ArchspecError if another process holds the lock."""
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | NO_LINK, 0o644)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise OSError(f"`{path.name}` is not a regular file")
        if not _has_lock(number):
            _refuse(path, number)
        with suppress(OSError):
            if os.path.samestat(os.fstat(number), path.stat()):
                return number
        os.close(number)  # its last holder has just removed it


def _has_lock(number: int) -> bool:
    try:
        import fcntl

        fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return True
    except OSError as error:
        return error.errno not in HELD
    return True


def _refuse(path: Path, number: int) -> NoReturn:
    with os.fdopen(number, encoding="utf-8", errors="replace") as file:
        text = file.read(200)
    holder = printable(text) or UNKNOWN
    helps = ("wait for it, or stop it with SIGTERM: it writes a checkpoint first", "choose another folder with `--out`")
    raise failure("E476", f"`{path.parent}` is in use by another run: {holder}", helps=helps)
