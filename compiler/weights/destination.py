"""Places for files: whether one can be written, asked before any work is done.

In: a path and the flag that named it. Out: nothing, or one clear error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from archspec.diagnostics.errors import failure


def need_place(path: Path, flag: str = "-o", example: str = "net.onnx") -> None:
    """Raise ArchspecError where there is no place for a file."""
    if path.is_dir():
        refuse(path, "it is a folder", f"`{flag} {path / example}` is a file in it")
    if path.exists() and not path.is_file():
        refuse(path, "it is no regular file", f"`{flag} {example}`")
    if not path.parent.is_dir():
        refuse(path, f"there is no folder `{path.parent}`", f"`mkdir -p {path.parent}` makes it")
    if not os.access(path.parent, os.W_OK):
        refuse(path, f"no file can be made in `{path.parent}`", f"`{flag}` with a path in a folder of yours")


def refuse(path: Path, reason: str, hint: str) -> NoReturn:
    """Raise the error of a place that cannot be written."""
    raise failure("E422", f"cannot write `{path}`: {reason}", helps=(hint,))
