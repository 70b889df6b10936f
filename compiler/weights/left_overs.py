"""Temporary names, and what a killed process left under them.

In: the name that a file is to get. Out: a name until it is complete, which nobody else uses, and a lock that says that
its process is alive: the system releases it when the process ends, however it ends. Left-overs are what has such a name
and no lock. Where there are no locks (Windows, some network file systems), nothing is cleared.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

MARK = ".archspec-tmp"
NAME = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.archspec-tmp", re.DOTALL)
LOOK = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
HELD = frozenset({errno.EACCES, errno.EAGAIN})  # errors of a lock that another process has
PATIENCE, MOMENT = 5.0, 0.005  # seconds: locks are held for moments, unless their process is stopped
Accept = Callable[[str], bool]


def temporary_name(name: str) -> str:
    """Return the name of a file or folder until it is complete: `.net.onnx.0f3a9c21.archspec-tmp`."""
    return f".{name}.{secrets.token_hex(4)}{MARK}"


def is_temporary(name: str, of: Accept) -> bool:
    """Whether a name is a `temporary_name` of a name that `of` accepts."""
    found = NAME.fullmatch(name)
    return found is not None and of(found["name"])


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other processes from clearing left-overs in a folder: until a new temporary name has its lock, and while
    several files are moved to their places."""
    with held(folder):
        yield


def held(path: Path) -> AbstractContextManager[None]:
    """Return the lock of a file or folder, which is already held; leaving it as a context releases it."""
    return _closed(_locked(path, PATIENCE))


@contextmanager
def _closed(number: int | None) -> Iterator[None]:
    try:
        yield
    finally:
        if number is not None:
            os.close(number)


def clear_left_overs(folder: Path, of: Accept, inside: Accept = lambda _name: False) -> None:
    """Remove temporary files, and temporary folders with the files that `inside` accepts, of processes that have ended.
    A folder with anything else in it stays."""
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if is_temporary(path.name, of):
                _clear(path, inside)


def _clear(path: Path, inside: Accept) -> None:
    with suppress(OSError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            return
        number = _locked(path, patience=0)
        if number is None:
            return
        with _closed(number):
            if stat.S_ISDIR(mode):
                remove_folder(path, inside)
            else:
                path.unlink()


def remove_folder(path: Path, inside: Accept) -> None:
    """Remove a folder and the regular files in it that `inside` accepts; with anything else in it, it stays."""
    with suppress(OSError):
        for file in sorted(path.iterdir()):
            if inside(file.name) and stat.S_ISREG(file.lstat().st_mode):
                file.unlink()
        path.rmdir()


def _locked(path: Path, patience: float) -> int | None:
    """Return the open file of a lock, or None where another process keeps it for longer, or there are no locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    end = time.monotonic() + patience
    try:
        number = os.open(path, LOOK)
    except OSError:
        return None
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in HELD or time.monotonic() >= end:
                os.close(number)
                return None
            time.sleep(MOMENT)
        else:
            return number
