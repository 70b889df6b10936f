"""Files of the same content, found without reading more than is needed.

In: paths. Out: groups of copies. Files of one size are compared by the hash of their end, and what is still together by
the hash of the whole; a file that cannot be read has no copies.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archspec.regular_file import open_regular

END = 4096  # bytes; headers are often equal, the compressed pixels at the end are not
CHUNK = 2**20

Group = tuple[Path, ...]


def copies(paths: Iterable[Path]) -> list[Group]:
    """Return the groups of two and more files with the same bytes, each in the order of the paths."""
    groups = [tuple(paths)]
    for key in (_size, _end, _whole):
        groups = _divided(groups, key)
    return groups


def _divided(groups: Sequence[Group], key: Callable[[Path], Hashable]) -> list[Group]:
    """Divide each group by a key; what is alone, or has no key, is left out."""
    paths = [path for group in groups for path in group]
    with ThreadPoolExecutor() as pool:
        keys = dict(zip(paths, pool.map(_tried(key), paths), strict=True))
    found: dict[tuple[int, Hashable], list[Path]] = {}
    for number, group in enumerate(groups):
        for path in group:
            if keys[path] is not None:
                found.setdefault((number, keys[path]), []).append(path)
    return [tuple(own) for own in found.values() if len(own) > 1]


def _tried(key: Callable[[Path], Hashable]) -> Callable[[Path], Hashable]:
    def of(path: Path) -> Hashable:
        try:
            return key(path)
        except OSError:
            return None

    return of


def _size(path: Path) -> int:
    return path.stat().st_size


def _end(path: Path) -> bytes:
    with open_regular(path) as file:
        file.seek(-min(END, os.fstat(file.fileno()).st_size), os.SEEK_END)
        return hashlib.sha256(file.read(END)).digest()


def _whole(path: Path) -> bytes:
    whole = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(CHUNK):
            whole.update(chunk)
    return whole.digest()
