"""Kinds of files for the sweep over mutated files: how each is made from a number, and how archspec reads it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Protocol


class FileKind(Protocol):
    """A kind of files."""

    def prepare(self, folder: Path) -> None:
        """Write the intact files into a folder."""
        ...

    def mutate(self, folder: Path, chance: random.Random) -> tuple[str, bytes]:
        """Return the name and the bytes of a mutated file."""
        ...

    def read(self, path: Path) -> None:
        """Read a file as the commands do. Raises ArchspecError or Finding for one that is refused."""
        ...
