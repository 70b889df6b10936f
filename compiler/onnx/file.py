"""A model on disk, all of it or nothing.

In: what the emitters made, and a path. Out: a file that is there only once it is whole and proven. It is written into a
folder beside its place, flushed, and renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archspec.compiler.weights.atomic import flush_folder
from archspec.compiler.weights.destination import need_writable, refuse
from archspec.compiler.weights.left_overs import clear_left_overs, exclusive, held, remove_folder, temporary_name

SUFFIX = ".data"  # of the file of the weights, where they have one of their own


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A folder to write into; leaving it without an exception moves its files to where `path` is.

    What a killed export to `path` left is cleared. Of two exports to `path` at once, the later one stays. Raises
    ArchspecError where that place cannot be written.
    """
    need_writable(path)
    own = [one.name for one in written(path, external=True)]
    folder = path.with_name(temporary_name(path.name))
    try:
        with exclusive(path.parent):
            clear_left_overs(path.parent, lambda name: name == path.name, own.__contains__)
            folder.mkdir(mode=0o700)
            lock = held(folder)
    except OSError as error:
        refuse(path, error.strerror or str(error), "`-o` with a path in a folder that you can write to")
    with lock:
        try:
            yield folder
            with exclusive(path.parent):  # model and weights are those of one export
                for file in sorted(folder.iterdir(), key=lambda file: file.name == path.name):  # the model last
                    file.replace(path.parent / file.name)
            flush_folder(path.parent)
        except OSError as error:
            refuse(path, error.strerror or str(error), "free some space, or `-o` with another path")
        finally:
            remove_folder(folder, own.__contains__)


def written(path: Path, external: bool) -> tuple[Path, ...]:
    """The files of a model."""
    return (path, path.with_name(path.name + SUFFIX)) if external else (path,)
