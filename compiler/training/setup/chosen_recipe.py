"""The recipe of a run that is not given one: chosen from the network, its input, and the images.

In: a network, its images, an optimiser if the command line names one. Out: a recipe, and for each setting why. Papers'
recipes are for a million images and many epochs: with a few thousand images their rates are too high for the few steps
of an epoch, and their crops too small. The figures here are our own, compared with hand-tuned recipes in
benchmarks/results/experiments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from archspec.api import Network
from archspec.diagnostics.findings import plural
from archspec.layers.attention import Attention
from archspec.layers.norm import BatchNorm, LayerNorm
from archspec.recipe import OPTIMIZER_DEFAULTS, Recipe

EPOCHS = 30
LEAST_STEPS = 64  # of an epoch, where there are images enough
LEAST_BATCH, MOST_BATCH = 32, 256
MAP_BATCHES = (8, 32)  # of masks, whose images have thousands of labelled pixels
REFERENCE = 256  # images a step, for which the rates below are
MAP_REFERENCE = 32  # the same of images with masks, whose gradients vary less
RATES = {"sgd": 0.2, "adamw": 1.4e-3, "rmsprop": 5e-3}  # of networks with normalisation
UNNORMALISED = {"sgd": 0.8, "adamw": 0.5, "rmsprop": 0.25}  # their share without
MANY = 100_000  # images
FEW_AREA, MANY_AREA = 0.35, 0.08  # the least share of an image in a crop; 0.08 is ImageNet's (Szegedy et al. 2015)


class ChosenRecipe(NamedTuple):
    """A recipe, and for its settings, by the names of its fields, why they are what they are."""

    recipe: Recipe
    why: Mapping[str, str]


def chosen_recipe(network: Network, images: int, are_photos: bool, flags: Mapping[str, Any]) -> ChosenRecipe:
    """Return the recipe for some images to train on; its rate is that of `usual_rate` for its step.

    Of the flags it takes the optimiser and the epochs, on which other settings depend.
    """
    named = flags.get("optimizer")
    optimizer, why_optimizer = (named, "") if named else _optimizer(network)
    is_of_maps = network.output.is_map
    epochs, step = flags.get("epochs", EPOCHS), step_images(images, *(MAP_BATCHES if is_of_maps else ()))
    data = f"{plural(images, 'image')} of {network.input}, {plural(network.output.channels, 'class')}"
    why = {
        "recipe": f"chosen for {data} and the network",
        "batch": f"at least {LEAST_STEPS} steps an epoch" if images >= LEAST_STEPS * step else "there are few images",
        "optimizer": why_optimizer,
    }
    values: dict[str, Any] = {
        "epochs": epochs,
        "optimizer": optimizer,
        **OPTIMIZER_DEFAULTS[optimizer],
        "reference_batch": step,
        "batch": step,
        "warmup": min(epochs / 4, max(3.0, epochs / 10)),
    }
    if optimizer == "adamw" or not is_normalised(network):
        values["clip"] = 1.0
    if are_photos:
        values |= {"flip": True, "crop": 1.0, "area": FEW_AREA if images < MANY else MANY_AREA, "label_smoothing": 0.1}
        if is_of_maps:
            values["label_smoothing"] = 0.0
        why["area"] = "few images: crops keep much of each" if images < MANY else "many images: as for ImageNet"
    return ChosenRecipe(Recipe().changed(values), {name: text for name, text in why.items() if text})


def step_images(images: int, least: int = LEAST_BATCH, most: int = MOST_BATCH) -> int:
    """Return how many images a step takes: a power of two, so that an epoch has many steps."""
    return min(most, max(least, 1 << int(math.log2(max(1, images / LEAST_STEPS)))))


def usual_rate(network: Network, optimizer: str, step: int) -> tuple[float, str]:
    """Return the learning rate for a step of so many images, and why: SGD's grows with the images (Goyal et al. 2017),
    that of optimisers that scale each weight's gradient with their root (Krizhevsky 2014)."""
    images = step / (MAP_REFERENCE if network.output.is_map else REFERENCE)
    share = images if optimizer == "sgd" else math.sqrt(images)
    rate = RATES[optimizer] * share
    kind = "networks with normalisation"
    if not is_normalised(network):
        rate, kind = rate * UNNORMALISED[optimizer], "networks without normalisation"
    return float(f"{rate:.2g}"), f"for {plural(step, 'image')} a step, in {kind}"


def is_normalised(network: Network) -> bool:
    """Whether the network normalises its activations."""
    return any(isinstance(node.layer, BatchNorm | LayerNorm) for node in network.graph.nodes)


def _optimizer(network: Network) -> tuple[str, str]:
    layers = [node.layer for node in network.graph.nodes]
    if any(isinstance(layer, BatchNorm) for layer in layers):
        return "sgd", "the network has batch normalisation"
    if any(isinstance(layer, Attention) for layer in layers):
        return "adamw", "the network has attention"
    if any(isinstance(layer, LayerNorm) for layer in layers):
        return "adamw", "the network has layer normalisation"
    return "sgd", "a network of convolutions"
