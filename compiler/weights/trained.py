"""A trained network as its weights file tells of it.

In: a weights file, or the folder of a run. Out: a `Trained`: the network, its weights, and what an image must become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor

from archspec.api import Network, restore
from archspec.bundle import shown
from archspec.compiler import build
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.metadata import COLOURS, Preprocessing
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import plural

WEIGHTS, BEST, CHECKPOINTS = "weights.safetensors", "best.safetensors", "checkpoint-*.pt"  # in the folder of a run
MOST_SEED = 2**31
LEAST = 1e-30  # of a deviation: a float32 holds it, and what is divided by it


@dataclass(frozen=True)
class TrainedOn:
    """Which images a run learned from: `source` and `fingerprint` are those of its `Data`."""

    source: str
    fingerprint: str


@dataclass(frozen=True)
class Trained:
    """A network with the weights of `path`.

    `seed` decided which images were held out, `top1` is the share of them that it got right. `bundle` is the spec with
    its changes, as `archspec.api.restore` takes it. Files of early versions do not say `data`.
    """

    path: Path
    network: Network
    bundle: dict[str, Any]
    state: Mapping[str, Tensor]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    top1: float
    seed: int | None
    data: TrainedOn | None = None


def is_weights(path: Path) -> bool:
    """Whether a path names weights, not a spec."""
    return path.is_dir() or path.suffix == weights.SUFFIX


def open_trained(path: Path) -> Trained:
    """Read weights, and see that they fit their spec. Raises ArchspecError where they do not, or are none."""
    path = _file(path)
    state, told = weights.read(path)
    network = restore(told.get("bundle", {}), f"`{path}`")
    try:
        preprocessing = _preprocessing(told, network)
        names = _names(told, network)
        top1 = told.get("top1")
        if not _is_finite(top1) or not 0 <= top1 <= 1:
            raise ValueError(f"`top1` is {shown(top1)}, and no share")
        found = Trained(path, network, told["bundle"], state, names, preprocessing, top1, _seed(told), _data(told))
        with torch.device("meta"):  # without memory, as long as nobody knows whether it fits
            module = build(network)
    except (ValueError, RuntimeError, OverflowError) as error:
        message = f"`{path}` is no weights file of archspec"
        raise failure("E401", message, notes=(str(error).partition("\n")[0],)) from None
    weights.need_fit(module, state, f"`{path}`")
    return found


def _file(path: Path) -> Path:
    """The weights of a run. Raises ArchspecError for a run that has not come to its end."""
    if not path.is_dir():
        return path
    if not (path / WEIGHTS).exists() and ((path / BEST).exists() or any(path.glob(CHECKPOINTS))):
        helps = [f"`archspec train --resume {path}` goes on to the end"]
        if (path / BEST).exists():
            helps.append(f"`{path / BEST}` has the weights of its best epoch so far")
        raise failure("E401", f"the run in `{path}` has not come to its end", helps=tuple(helps))
    return path / WEIGHTS


# ---- what a file says; each raises ValueError where it is wrong
def _preprocessing(told: Mapping[str, Any], network: Network) -> Preprocessing:
    sizes = told.get("input")
    if not isinstance(sizes, list) or any(type(size) is not int for size in sizes) or sizes != list(network.input):
        raise ValueError(f"`input` is {shown(sizes)}, and the network takes {network.input}")
    if not network.input.is_map or network.input.channels not in COLOURS:
        raise ValueError(f"the network takes {network.input}, and no image")
    height, width, channels = network.input
    for name in ("mean", "std"):
        values = told.get(name)
        if not isinstance(values, list) or len(values) != channels or not all(map(_is_finite, values)):
            raise ValueError(f"`{name}` is {shown(values)}, and not a number for each of {plural(channels, 'colour')}")
    if min(told["std"]) < LEAST:
        raise ValueError(f"`std` is {shown(told['std'])}, and a deviation is above 0")
    return Preprocessing(height, width, COLOURS[channels], tuple(told["mean"]), tuple(told["std"]))


def _is_finite(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1 / LEAST


def _names(told: Mapping[str, Any], network: Network) -> tuple[str, ...]:
    names = told.get("class_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"`class_names` is {shown(names)}, and no list of names")
    if len(set(names)) != len(names):
        raise ValueError("two of its classes have one name")
    if network.output != (len(names),):
        raise ValueError(f"the network ends in {network.output}, and has {plural(len(names), 'class name')}")
    return tuple(names)


def _seed(told: Mapping[str, Any]) -> int | None:
    recipe = told.get("recipe")
    if not isinstance(recipe, dict):
        raise ValueError(f"`recipe` is {shown(recipe)}, and no object")
    seed = recipe.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed <= MOST_SEED):
        raise ValueError(f"`recipe.seed` is {shown(seed)}, and no number of 0 .. 2^31")
    return seed


def _data(told: Mapping[str, Any]) -> TrainedOn | None:
    data = told.get("data")
    if data is None:
        return None
    source, fingerprint = (data.get("source"), data.get("fingerprint")) if isinstance(data, dict) else (None, None)
    if not isinstance(source, str) or not isinstance(fingerprint, str):
        raise ValueError(f"`data` is {shown(data)}, and has no texts `source` and `fingerprint`")
    return TrainedOn(source, fingerprint)
