"""Destinations of files: whether they can be written, checked before any work is done.

In: a path and the flag that named it. Out: nothing, or one clear error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from archspec.diagnostics.errors import failure
from archspec.regular_file import is_file, is_folder, is_there


def need_writable(path: Path, flag: str = "-o", example: str = "net.onnx") -> None:
    """Raise ArchspecError where a file cannot be written."""
    if is_folder(path):
        refuse(path, "it is a folder", f"`{flag} {path / example}` names a file in it")
    if is_there(path) and not is_file(path):
        refuse(path, "it is not a regular file", f"`{flag} {example}`")
    there = next((one for one in path.parents if is_there(one)), path.parent)
    if is_there(there) and not is_folder(there):
        refuse(path, f"`{there}` is {'a file' if is_file(there) else 'not a folder'}", f"`{flag} {example}`")
    if not is_folder(path.parent):
        refuse(path, f"no such folder: `{path.parent}`", f"`mkdir -p {path.parent}` creates it")
    if not os.access(path.parent, os.W_OK):
        refuse(path, f"no permission to write into `{path.parent}`", f"`{flag}` with a path in another folder")


def refuse(path: Path, reason: str, hint: str) -> NoReturn:
    """Raise the error of a file that cannot be written."""
    raise failure("E422", f"cannot write `{path}`: {reason}", helps=(hint,))
