"""A model on disk, all of it or nothing.

In: what the emitters made, and a path. Out: a file that is there only once it is whole and proven. It is written into a
folder beside its place, flushed, and renamed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archspec.compiler.weights.atomic import flush_folder
from archspec.compiler.weights.destination import need_writable, refuse

SUFFIX = ".data"  # of the file of the weights, where they have one of their own


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A folder to write into; leaving it without an exception moves its files to where `path` is.

    Raises ArchspecError where that place cannot be written.
    """
    need_writable(path)
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        refuse(path, error.strerror or str(error), "`-o` with a path in a folder that you can write to")
    try:
        yield folder
        for file in sorted(folder.iterdir(), key=lambda file: file.name == path.name):  # the model last
            file.replace(path.parent / file.name)
        flush_folder(path.parent)
    except OSError as error:
        refuse(path, error.strerror or str(error), "free some space, or `-o` with another path")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def written(path: Path, external: bool) -> tuple[Path, ...]:
    """The files of a model."""
    return (path, path.with_name(path.name + SUFFIX)) if external else (path,)
