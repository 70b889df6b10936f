"""The weight of each class in the loss.

In: a recipe, the training images. Out: a number for each class, whose mean over an epoch's images is 1, or over its
pixels where masks have the classes. The loss is a plain mean over images or pixels of these weights times the cross
entropy, so that it does not depend on how the images of a step are split into batches and processes. The held-out loss
has no weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from archspec.compiler.data.dataset import Data
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import did_you_mean, named
from archspec.recipe import Recipe

BALANCED = "balanced"
MOST_SHOWN = 10


def class_weights(recipe: Recipe, data: Data) -> dict[str, float]:
    """Return the weights by the name of the class, empty for none. Raises ArchspecError for an unknown class."""
    if not recipe.class_weights:
        return {}
    images = data.counts.double()  # or pixels
    if recipe.class_weights == BALANCED:
        weights = torch.where(images > 0, 1 / images, 0.0)  # no pixel may be of a class
    else:
        given = _given(recipe.class_weights, data.class_names)
        weights = torch.tensor([given.get(name, 1.0) for name in data.class_names], dtype=torch.float64)
    share = torch.ones_like(images) if recipe.sampling == "balanced" else images
    mean = (share * weights).sum() / share.sum()
    return dict(zip(data.class_names, (weights / mean).tolist(), strict=True))


def as_tensor(weights: Mapping[str, float], device: torch.device) -> Tensor | None:
    """Return the weights in the order of the classes, or None for none."""
    return torch.tensor(list(weights.values()), dtype=torch.float32, device=device) if weights else None


def _given(text: str, names: tuple[str, ...]) -> dict[str, float]:
    """Read `hat=3,shirt=1`. A name may contain commas and equals signs."""
    found: dict[str, float] = {}
    begun: list[str] = []
    for piece in text.split(","):
        end, sign, number = piece.rpartition("=")
        weight = _number(number) if sign else None
        if weight is None:
            begun.append(piece)
            continue
        name, begun = ",".join([*begun, end]), []
        if name not in names:
            helps = did_you_mean(name, names) or (f"`--class-weights '{names[0]}=2'`",)
            raise _wrong(f"unknown class `{name}` in `--class-weights`", helps, names)
        if name in found:
            raise _wrong(f"`--class-weights` has `{name}` twice", ("give each class once",))
        if not 0 < weight < math.inf:
            raise _wrong(f"the weight of `{name}` is {number}; expected a number above 0", (f"`{name}=1`",))
        found[name] = weight
    if begun:
        message = f"`--class-weights` expects `{BALANCED}` or class=weight, got `{','.join(begun)}`"
        raise _wrong(message, (f"`--class-weights {BALANCED}`", f"`--class-weights '{names[0]}=2'`"))
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _wrong(message: str, helps: tuple[str, ...], names: tuple[str, ...] = ()) -> ArchspecError:
    notes = (f"the classes are {named(names, MOST_SHOWN)}",) if names else ()
    return failure("E011", message, notes=notes, helps=helps)
