"""What a weights file says of itself, so that no later command needs the spec, the recipe or the images again.

In: a trained network, or the JSON of a file. Out: the other of the two; each thing that is wrong in a file is a
ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archspec.api import Network, restore
from archspec.compiler.data.preprocessing import (
    COLOURS,
    Preprocessing,
    each_channel,
    is_finite,
    need_crop,
    need_deviations,
)
from archspec.diagnostics.findings import plural, shown

MOST_SEED = 2**31


@dataclass(frozen=True)
class TrainedOn:
    """The images of a run: `source`, `fingerprint` and `held_out_in` are those of its `Data`, `images` counts them."""

    source: str
    fingerprint: str
    images: int | None = None
    held_out_in: str | None = None  # files of early versions do not say


@dataclass(frozen=True)
class WeightsMetadata:
    """A trained network: `score` is its top-1 on the held-out images, or the mean IoU if its output is a map.

    `recipe` is that of training, as data. Files of early versions lack `data`.
    """

    network: Network
    recipe: Mapping[str, Any]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    score: float
    data: TrainedOn | None = None

    @property
    def seed(self) -> int | None:
        """The seed that decided which images were held out, or None where the file does not say."""
        return self.recipe.get("seed")

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the network's input."""
        height, width, channels = self.network.input
        crop = self.recipe.get("eval_crop", 1.0)  # early recipes have none
        return Preprocessing(height, width, COLOURS[channels], self.mean, self.std, crop)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        data = self.data
        found = {
            "bundle": self.network.bundle.to_dict(),
            "recipe": dict(self.recipe),
            "mean": list(self.mean),
            "std": list(self.std),
            "class_names": list(self.class_names),
            "input": list(self.network.input),
            score_key(self.network): self.score,
        }
        if data is not None:
            found["data"] = dict(vars(data))
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any], whose: str) -> WeightsMetadata:
        """Read what `to_json` returned. Raises ArchspecError for a wrong spec, ValueError for a wrong value."""
        network = restore(data.get("bundle", {}), whose)
        _need_input(data, network)
        mean, std = (each_channel(data.get(name), name, network.input.channels) for name in ("mean", "std"))
        need_deviations(std)
        names = _class_names(data, network)
        key = score_key(network)
        score = data.get(key)
        if not is_finite(score) or not 0 <= score <= 1:
            raise ValueError(f"`{key}` is {shown(score)}; expected a share from 0 to 1")
        return cls(network, _recipe(data), names, mean, std, score, _trained_on(data))


def score_key(network: Network) -> str:
    """Return what a file calls the score of a network."""
    return "mean_iou" if network.output.is_map else "top1"


# ---- the parts of a file; each raises ValueError where it is wrong
def _need_input(data: Mapping[str, Any], network: Network) -> None:
    sizes = data.get("input")
    if not isinstance(sizes, list) or any(type(size) is not int for size in sizes) or sizes != list(network.input):
        raise ValueError(f"`input` is {shown(sizes)}, but the network takes {network.input}")
    if len(network.inputs) > 1:
        raise ValueError(f"the network has {len(network.inputs)} inputs, not one image")
    if not network.input.is_map or network.input.channels not in COLOURS:
        raise ValueError(f"the network takes {network.input}, which is not an image")


def _class_names(data: Mapping[str, Any], network: Network) -> tuple[str, ...]:
    names = data.get("class_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"`class_names` is {shown(names)}; expected a list of names")
    if len(set(names)) != len(names):
        raise ValueError("two classes have the same name")
    if network.output.channels != len(names) or network.output.kind == "sequence":
        raise ValueError(f"the network outputs {network.output}, but has {plural(len(names), 'class name')}")
    return tuple(names)


def _recipe(data: Mapping[str, Any]) -> Mapping[str, Any]:
    recipe = data.get("recipe")
    if not isinstance(recipe, dict):
        raise ValueError(f"`recipe` is {shown(recipe)}; expected an object")
    seed = recipe.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed <= MOST_SEED):
        raise ValueError(f"`recipe.seed` is {shown(seed)}; expected an integer from 0 to 2^31")
    need_crop(recipe.get("eval_crop", 1.0), "recipe.eval_crop")
    for name, count in (("area", 1), ("pad", 1), ("crop", 1), ("scale", 2)):  # from which `--tta scales` is chosen
        given = recipe.get(name) or [1] * count
        values = given if isinstance(given, list | tuple) else [given]
        if len(values) != count or not all(is_finite(one) and one >= 0 for one in values):
            raise ValueError(f"`recipe.{name}` is {shown(given)}; expected {plural(count, 'number')} of at least 0")
    return recipe


def _trained_on(data: Mapping[str, Any]) -> TrainedOn | None:
    found = data.get("data")
    if found is None:
        return None
    source, fingerprint = (found.get("source"), found.get("fingerprint")) if isinstance(found, dict) else (None, None)
    if not isinstance(source, str) or not isinstance(fingerprint, str):
        raise ValueError(f"`data` is {shown(found)}; expected the texts `source` and `fingerprint`")
    images = found.get("images")
    if images is not None and (type(images) is not int or images < 0):
        raise ValueError(f"`data.images` is {shown(images)}; expected a count")
    held_out_in = found.get("held_out_in")
    if held_out_in is not None and not isinstance(held_out_in, str):
        raise ValueError(f"`data.held_out_in` is {shown(held_out_in)}; expected text")
    return TrainedOn(source, fingerprint, images, held_out_in)
