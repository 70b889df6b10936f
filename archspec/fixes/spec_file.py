"""A spec's file: read, and written atomically: complete or not at all.

In: a path, a new text. Out: the file, with its permissions and owner. A link stays, and its target is written;
a file with several hard links is not.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.source import MAX_SIZE
from archspec.fixes.spec_text import SpecText, decoded
from archspec.record import Record
from archspec.regular_file import read_regular

CANNOT_WRITE = "E422"
WRITABLE = 0o222


class SpecFile(Record):
    """A file as it was read: the name it was given by, where it is, its bytes, and its text, which may be a new one."""

    spec: str
    path: Path
    data: bytes
    text: SpecText

    @property
    def is_changed(self) -> bool:
        """Whether the text is not that of the file."""
        return self.text.encoded() != self.data


def opened(spec: str) -> SpecFile | None:
    """Return the file of a spec, or None if it cannot be read as text: `check` says why."""
    try:
        path = Path(spec).resolve(strict=True)
        data = read_regular(path, MAX_SIZE)
        return SpecFile(spec, path, data, decoded(data)) if len(data) <= MAX_SIZE else None
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the name, other bytes than UTF-8
        return None


def write(file: SpecFile) -> None:
    """Write the text under a temporary name beside the file, then rename it. Raises ArchspecError."""
    temporary: Path | None = None
    try:
        status = file.path.stat()
        mode = status.st_mode
        if status.st_nlink > 1:
            raise _cannot_write(file, f"it has {status.st_nlink} names (hard links), and only one would change")
        if not mode & WRITABLE or not os.access(file.path, os.W_OK):
            raise _cannot_write(file, "the file is read-only")
        number, name = mkstemp(prefix=f".{file.path.name}.", suffix=".tmp", dir=file.path.parent)
        temporary = Path(name)
        with os.fdopen(number, "wb") as out:
            out.write(file.text.encoded())
            out.flush()
            os.fsync(number)
        _keep_owner(temporary, status)
        temporary.chmod(mode & 0o7777)
        if read_regular(file.path, MAX_SIZE) != file.data:
            raise _cannot_write(file, "another program has changed it in the meantime")
        temporary.replace(file.path)
    except (OSError, ValueError) as error:
        raise _cannot_write(file, str(getattr(error, "strerror", None) or error)) from None
    finally:
        if temporary is not None:
            with suppress(OSError):  # it has the file's name by now
                temporary.unlink()


def _keep_owner(path: Path, status: os.stat_result) -> None:
    """Give a file the owner and the group of another, as far as the user may."""
    if hasattr(os, "chown"):  # not on Windows
        for owner, group in ((-1, status.st_gid), (status.st_uid, -1)):
            with suppress(OSError):
                os.chown(path, owner, group)


def _cannot_write(file: SpecFile, reason: str) -> ArchspecError:
    return failure(CANNOT_WRITE, f"cannot write {file.spec}: {reason}", notes=("the file is unchanged",))
