"""Weights files: safetensors, which hold numbers and text and run nothing when they are read.

In: a module's state, and what the file says of itself. Out: a file that needs no other to be used; and back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from archspec.diagnostics.errors import ArchspecError, failure

KEY = "archspec"
SUFFIX = ".safetensors"


def write(path: Path, state: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write weights, with what the file says of itself as JSON. The file is whole or not there."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    replace_file(path, save(tensors, {KEY: json.dumps(about, ensure_ascii=False)}))


def replace_file(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, and rename it. Raises ArchspecError."""
    temporary: Path | None = None
    try:
        target = path.resolve()  # a link stays, and what it names is written
        if target.exists() and not target.is_file():
            raise OSError("it is no regular file")
        temporary = target.with_name(temporary_name(target.name))
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links is a RuntimeError, a NUL a ValueError
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        reason = getattr(error, "strerror", None) or error
        message = f"cannot write `{path}`: {reason}"
        raise failure("E422", message, helps=("what was there before is as it was",)) from None
    _flush(target.parent)


def temporary_name(name: str) -> str:
    """What a file is called until it is whole: `.latest.4711`."""
    return f".{name}.{os.getpid()}"


def is_temporary(name: str, of: Callable[[str], bool]) -> bool:
    """Whether a name is `temporary_name`, in any process, of a name that `of` accepts."""
    stem, _, process = name.removeprefix(".").rpartition(".")
    return name.startswith(".") and process.isascii() and process.isdigit() and of(stem)


def _flush(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights, and what the file says of itself. Raises ArchspecError for a file that is none of archspec's."""
    helps = ("`archspec train SPEC` writes one",)
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})[KEY])
            json.dumps(about, ensure_ascii=False).encode()  # half of a surrogate pair is no text
            if not isinstance(about, dict):
                raise ValueError(f"it says {about!r:.40} of itself")
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118  # not a dict
    except FileNotFoundError:
        raise failure("E401", f"there are no weights `{path}`", helps=helps) from None
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        reason = "it lacks the spec it belongs to" if isinstance(error, KeyError) else str(error)
        message = f"`{path}` is no weights file of archspec"
        raise failure("E401", message, notes=(reason,), helps=helps) from None


def fill(module: nn.Module, state: Mapping[str, Tensor], whose: str = "the weights") -> None:
    """Put weights into a module. Raises ArchspecError at the first name or shape that differs."""
    need_fit(module, state, whose)
    module.load_state_dict(dict(state))


def need_fit(module: nn.Module, state: Mapping[str, Tensor], whose: str = "the weights") -> None:
    """Raise ArchspecError at the first name or shape that differs. The module may be one without memory, on `meta`."""
    own = module.state_dict()
    for name, tensor in own.items():
        if name not in state:
            raise _other(f"{whose} have no `{name}`")
        if state[name].shape != tensor.shape:
            sizes = ["x".join(map(str, one.shape)) for one in (state[name], tensor)]
            raise _other(f"`{name}` is {sizes[0]} in {whose}, and the spec makes it {sizes[1]}")
    for name in state:
        if name not in own:
            raise _other(f"{whose} have `{name}`, which the spec has not")


def _other(message: str) -> ArchspecError:
    return failure("E421", message, helps=("are they of another spec, or of other flags?",))
