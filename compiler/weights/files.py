"""Weights files: safetensors, which contain numbers and text and run no code when they are read.

In: a module's state, and what the file is to say of itself. Out: a file that is usable without any other; and back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from archspec.compiler.weights.atomic import replace_file
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.regular_file import need_regular

KEY = "archspec"
SUFFIX = ".safetensors"
HELP = "`archspec train SPEC` writes one"


def write(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write weights and JSON metadata, atomically. Raises ArchspecError."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    replace_file(path, save(tensors, {KEY: json.dumps(metadata, ensure_ascii=False)}))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights and the JSON metadata of a file. Raises ArchspecError for a file of anything else."""
    try:
        need_regular(path)
        path.open("rb").close()  # safetensors calls a file that it may not read missing
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})[KEY])
            json.dumps(metadata, ensure_ascii=False).encode()  # half of a surrogate pair is not text
            if not isinstance(metadata, dict):
                raise ValueError(f"expected an object as metadata, got {metadata!r:.40}")
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118  # not a dict
    except FileNotFoundError:
        raise failure("E401", f"no such weights file: `{path}`", helps=(HELP,)) from None
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        reason = "it does not contain its spec" if isinstance(error, KeyError) else _reason(error)
        raise not_weights(path, reason) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def not_weights(path: Path, reason: str) -> ArchspecError:
    """Return the error of a file that archspec did not write."""
    return failure("E401", f"`{path}` is not a weights file of archspec", notes=(reason,), helps=(HELP,))


def fill(module: nn.Module, state: Mapping[str, Tensor], whose: str = "the weights") -> None:
    """Load weights into a module. Raises ArchspecError at the first name or shape that differs."""
    need_fit(module, state, whose)
    module.load_state_dict(dict(state))


def need_fit(module: nn.Module, state: Mapping[str, Tensor], whose: str = "the weights") -> None:
    """Raise ArchspecError at the first name or shape that differs. The module may lie on the `meta` device."""
    own = module.state_dict()
    for name, tensor in own.items():
        if name not in state:
            raise _misfit(f"`{name}` is missing from {whose}")
        if state[name].shape != tensor.shape:
            sizes = ["x".join(map(str, one.shape)) for one in (state[name], tensor)]
            raise _misfit(f"`{name}` is {sizes[0]} in {whose}, but {sizes[1]} in the spec")
        if state[name].dtype != tensor.dtype:
            kinds = [str(one.dtype).removeprefix("torch.") for one in (state[name], tensor)]
            raise _misfit(f"`{name}` is {kinds[0]} in {whose}; expected {kinds[1]}")
    for name in state:
        if name not in own:
            raise _misfit(f"`{name}` is in {whose}, but not in the spec")


def _misfit(message: str) -> ArchspecError:
    return failure("E421", message, helps=("do they belong to another spec, or to other flags?",))
