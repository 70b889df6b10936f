"""Whether what was read from a checkpoint is what a run writes into one. Its checksum shows damage, not its origin.

In: the plain data of a file. Out: nothing, or a ValueError that names the value. What depends on the network is looked
at when a trainer is restored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archspec.diagnostics.findings import shown
from archspec.recipe import (
    AMP,
    LEAST_EVAL_CROP,
    MODES,
    MOST_PAD,
    MOST_RANDAUGMENT,
    OPTIMIZERS,
    SAMPLINGS,
    SCHEDULES,
    Recipe,
)

LARGEST = 2**53  # of a count
MOST_PROCESSES = 2**16
LEAST = 1e-30


class Expected(NamedTuple):
    """What a value has to be: a test, and its words."""

    holds: Callable[[Any], bool]
    words: str


def is_number(value: object) -> bool:
    """Whether a value is a number, possibly NaN or infinity, and not a bool."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= LARGEST
    return isinstance(value, float)


def _between(low: float, high: float) -> Expected:
    return Expected(lambda value: is_number(value) and low <= value <= high, f"a number from {low:g} to {high:g}")


def _count(low: int, high: int) -> Expected:
    return Expected(lambda value: type(value) is int and low <= value <= high, f"an integer from {low:,} to {high:,}")


def _one_of(names: tuple[str, ...]) -> Expected:
    return Expected(lambda value: isinstance(value, str) and value in names, ", ".join(names))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_losses(value: Any) -> bool:
    pairs = [one for one in value if isinstance(one, tuple) and len(one) == 2 and _is_text(one[0])]
    return len(pairs) == len(value) and all(is_number(weight) and 0 < weight <= 1e30 for _, weight in pairs)


def _are_weights(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) and tensor.layout == torch.strided and not tensor.is_meta
        for name, tensor in value.items()
    )


def _are_statistics(value: object, least: float) -> bool:
    return isinstance(value, list) and bool(value) and all(is_number(one) and least <= one <= 1e30 for one in value)


def _are_names(value: object) -> bool:
    return _are_texts(value) and isinstance(value, list) and len(set(value)) == len(value) > 0


def _is_seen(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.dim() == 1
        and len(value) >= 3
        and value.is_floating_point()
        and not value.is_meta
        and bool((value.isfinite() & (value >= 0)).all())
    )


def _is_scaler(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == SCALER
        and all(is_number(one) and 0 <= one < 1e38 for one in value.values())
        and type(value["growth_interval"]) is type(value["_growth_tracker"]) is int
        and min(value["scale"], value["growth_factor"], value["backoff_factor"], value["growth_interval"]) > 0
    )


SCALER = {"scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"}  # of torch's GradScaler
COUNT = _count(0, LARGEST)
OBJECT = Expected(lambda value: isinstance(value, dict), "an object")
TEXT = Expected(_is_text, "text")
WEIGHTS = Expected(_are_weights, "tensors by name")
PARTS: Mapping[str, Expected] = {
    "module": WEIGHTS,
    "average": Expected(lambda value: value is None or _are_weights(value), WEIGHTS.words),
    "optimizer": OBJECT,
    "scaler": Expected(lambda value: value == {} or _is_scaler(value), "the state of a loss scaler"),
    "plateau": OBJECT,
    "epoch": COUNT,
    "steps_done": COUNT,
    "updates": COUNT,
    "skipped": COUNT,
    "in_a_row": COUNT,
    "seen": Expected(_is_seen, "3 or more numbers that are not negative"),
    "damaged": Expected(_are_texts, "a list of texts"),
    "replicas": _count(1, MOST_PROCESSES),
    "bundle": OBJECT,
    "recipe": OBJECT,
    "mean": Expected(lambda value: _are_statistics(value, -1e30), "a list of numbers"),
    "std": Expected(lambda value: _are_statistics(value, LEAST), "a list of numbers above 0"),
    "why": Expected(lambda value: isinstance(value, dict) and _are_texts([*value, *value.values()]), "texts by name"),
    "class_names": Expected(_are_names, "a list of different names"),
    "data": TEXT,
    "fingerprint": TEXT,
    "best": _between(-1, 1),
    "pipeline": _count(0, MOST_PROCESSES),
    "rows": Expected(lambda value: isinstance(value, list) and all(isinstance(row, dict) for row in value), "figures"),
}
SETTINGS: Mapping[str, Expected] = {
    "epochs": _count(1, LARGEST),
    "batch": _count(1, 2**31),
    "accumulate": _count(1, 2**31),
    "reference_batch": _count(1, 2**31),
    "patience": COUNT,
    "seed": _count(0, 2**31),
    "threads": _count(0, MOST_PROCESSES),
    "optimizer": _one_of(OPTIMIZERS),
    "schedule": _one_of(SCHEDULES),
    "amp": _one_of(AMP),
    "mode": _one_of(MODES),
    "lr": _between(LEAST, 1e30),
    "eps": _between(LEAST, 1e30),
    "factor": _between(LEAST, 1e30),
    "every": _between(LEAST, 1e30),
    "crop": _between(1, 10),
    "momentum": _between(0, 1),
    "beta2": _between(0, 1),
    "label_smoothing": _between(0, 1),
    "ema": _between(0, 1),
    "area": _between(0, 1),
    "color": _between(0, 1),
    "cutout": _between(0, 1),
    "erasing": _between(0, 1),
    "eval_crop": _between(LEAST_EVAL_CROP, 1),
    "randaugment": _between(0, MOST_RANDAUGMENT),
    "pad": _count(0, MOST_PAD),
    "mixup": _between(0, 100),
    "cutmix": _between(0, 100),
    "sampling": _one_of(SAMPLINGS),
    "class_weights": TEXT,
    "layer_decay": _between(LEAST, 1),
    "freeze": Expected(lambda value: all(map(_is_text, value)), "texts"),
    "losses": Expected(_are_losses, "names with weights above 0"),
    "scale": Expected(
        lambda value: not value or (len(value) == 2 and all(map(is_number, value)) and 1 <= value[0] <= value[1] <= 10),
        "two numbers from 1 to 10",
    ),
}
OF_TYPE: Mapping[type, Expected] = {
    bool: Expected(lambda value: type(value) is bool, "true or false"),
    float: _between(0, 1e30),
    tuple: Expected(lambda value: all(is_number(one) and 0 <= one <= 1e30 for one in value), "numbers"),
}


def need_parts(state: Mapping[str, Any]) -> None:
    """Raise ValueError at the first part of a checkpoint that no run writes."""
    for name, expected in PARTS.items():
        _need(f"`{name}`", state[name], expected)


def need_settings(recipe: Recipe) -> None:
    """Raise ValueError at the first setting that no recipe has."""
    for name, usual in Recipe().to_dict().items():
        value = getattr(recipe, name)
        expected = SETTINGS.get(name) or OF_TYPE[type(usual)]
        if isinstance(usual, tuple) and not isinstance(value, tuple):
            raise ValueError(f"`recipe.{name}` is {shown(value)}; expected {expected.words}")
        _need(f"`recipe.{name}`", value, expected)


def need_same_form(own: Mapping[str, Tensor], kept: Mapping[str, Tensor], what: str) -> None:
    """Raise ValueError unless tensors by name have the shapes and types of a module's own."""
    for name, tensor in own.items():
        if name not in kept:
            raise ValueError(f"`{what}` lacks `{name}`")
        if kept[name].shape != tensor.shape or kept[name].dtype != tensor.dtype:
            raise ValueError(f"`{what}.{name}` is {_form(kept[name])}; expected {_form(tensor)}")


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {'x'.join(map(str, tensor.shape)) or 'number'}"


def _need(what: str, value: object, expected: Expected) -> None:
    if not expected.holds(value):
        raise ValueError(
            f"{what} is {'another tensor' if isinstance(value, Tensor) else shown(value)}; expected {expected.words}"
        )
