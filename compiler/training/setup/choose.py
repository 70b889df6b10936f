"""What a run is made of: a network, its recipe, its images, and perhaps the weights that it begins from.

In: the command line's words, or a checkpoint. Out: `Chosen`. What cannot be trained is refused here (`needs.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import archspec
from archspec.api import Network, overrides, restore
from archspec.compiler.data.dataset import Data
from archspec.compiler.data.digits import digits
from archspec.compiler.data.folder import checked, folder
from archspec.compiler.progress import Progress
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup import requirements as needs
from archspec.compiler.training.setup.plan import with_batch
from archspec.compiler.weights.trained import Trained, open_trained
from archspec.diagnostics.errors import failure
from archspec.recipe import Recipe, from_dict

MOST_NAMED = 10


@dataclass(frozen=True)
class Options:
    """Where a run reads and writes, and what does not change its result."""

    data: Path | None = None
    out: Path | None = None
    weights: Path | None = None  # to begin from
    device: str = "auto"
    workers: int | None = None
    quiet: bool = False
    pipeline: int = 0  # stages; 0 for none
    keep: int = 3
    save_every: int = 0  # steps; 0 for the ends of epochs alone
    peak_tflops: float | None = None


class Around:
    """What is around a run: its options, the other processes, and who hears of it."""

    def __init__(self, options: Options, group: Group) -> None:
        self.options, self.group = options, group
        self.progress = Progress(options.quiet or not group.is_first)
        self.say = self.progress.line


@dataclass(frozen=True)
class Chosen:
    """What is trained on what, and how."""

    network: Network
    recipe: Recipe
    data: Data
    first: Trained | None = None


def choose(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], around: Around) -> Chosen:
    """What the command line asks for: `flags` override the recipe. Raises ArchspecError."""
    options = around.options
    first = open_trained(options.weights) if options.weights else None
    network = _changed(first, changes) if spec is None and first is not None else archspec.load(spec or "", **changes)
    needs.classifier(network)
    needs.memory(network, around.group.device)
    recipe = network.recipe or Recipe(flip=options.data is not None)
    if first is not None and first.metadata.seed is not None:  # images that the weights have seen are not held out
        recipe = recipe.changed({"seed": first.metadata.seed})
    recipe = recipe.changed(flags)
    data = _data(network, recipe, around)
    needs.shorter_warmup(recipe)
    if first is not None and len(first.preprocessing.mean) == network.input.channels:
        data = replace(data, mean=first.preprocessing.mean, std=first.preprocessing.std)
    network = _with_classes(network, len(data.class_names), around)
    if not {"batch", "accumulate"} & flags.keys():
        recipe = with_batch(network, recipe, len(data.train), around.group)
    needs.statistics(network, recipe)
    needs.pipeline(recipe, around.group)
    return Chosen(network, recipe, data, first)


def _changed(first: Trained, changes: Mapping[str, Any]) -> Network:
    """The network of weights, with what the command line changes. Raises ArchspecError."""
    given = overrides(input=changes["input"], classes=changes["classes"], variant=changes["variant"], values={})
    bundle = first.network.bundle.to_dict()
    bundle["set"] |= changes["set"]
    more = {"input": given.input, "classes": given.classes, "variant": given.variant}
    return restore({**bundle, **{name: value for name, value in more.items() if value is not None}})


def again(state: Mapping[str, Any], around: Around) -> Chosen:
    """What a checkpoint was made of. Raises ArchspecError where the images are others."""
    network, recipe = restore(state["bundle"]), from_dict(state["recipe"])
    data = _data(network, recipe, around)
    if list(data.class_names) != state["class_names"] or data.fingerprint != state["fingerprint"]:
        message = f"`{around.options.data}` holds other images than when the run began"
        helps = ("bring them back, or begin another run: `--from` takes this one's best.safetensors",)
        raise failure("E450", message, helps=helps)
    data = replace(data, mean=tuple(state["mean"]), std=tuple(state["std"]))
    return Chosen(network, recipe, data)


def _data(network: Network, recipe: Recipe, around: Around) -> Data:
    root = around.options.data
    if root is None:
        return digits(network.input, recipe.seed)
    data = checked(folder(root, network.input, recipe))
    for path in data.damaged[:MOST_NAMED]:
        around.say(f"`{path}` cannot be read, and is left out")
    if len(data.damaged) > MOST_NAMED:
        around.say(f"... and {len(data.damaged) - MOST_NAMED} more")
    return data


def _with_classes(network: Network, classes: int, around: Around) -> Network:
    """The network with as many class scores as the data have classes."""
    if network.output == (classes,):
        return network
    around.say(f"{network.title} has {network.output[0]:,} class scores, the data {classes}: it gets {classes}")
    return restore({**network.bundle.to_dict(), "classes": classes})
