"""A trained network as its weights file tells of it.

In: a weights file, or the folder of a run. Out: a `Trained`: the network, its weights, and what an image must become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from archspec.api import Network, restore
from archspec.compiler import build, weights
from archspec.compiler.about import COLOURS, Preprocessing
from archspec.diagnostics import Diagnostic, SpecError

WEIGHTS = "weights.safetensors"  # in the folder of a run


@dataclass(frozen=True)
class Trained:
    """A network with the weights of `path`.

    `seed` decided which images were held out, `top1` is the share of them that it got right. `bundle` is the spec with
    its changes, as `archspec.api.restore` takes it.
    """

    path: Path
    network: Network
    bundle: dict[str, Any]
    state: Mapping[str, Tensor]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    top1: float
    seed: int | None


def is_weights(path: Path) -> bool:
    """Whether a path names weights, not a spec."""
    return path.is_dir() or path.suffix == weights.SUFFIX


def open_trained(path: Path) -> Trained:
    """Read weights, and see that they fit their spec. Raises SpecError where they do not, or are none."""
    path = path / WEIGHTS if path.is_dir() else path
    state, told = weights.read(path)
    try:
        height, width, channels = told["input"]
        seed = told["recipe"].get("seed")
        preprocessing = Preprocessing(height, width, COLOURS[channels], tuple(told["mean"]), tuple(told["std"]))
        found = Trained(
            path, restore(told["bundle"]), told["bundle"], state, tuple(map(str, told["class_names"])), preprocessing,
            float(told["top1"]), seed if isinstance(seed, int) else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"`{path}` is no weights file of archspec"
        raise SpecError([Diagnostic("E401", message, notes=(f"{type(error).__name__}: {error}",))]) from None
    weights.fill(build(found.network), state, f"`{path}`")
    return found
