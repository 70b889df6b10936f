"""The recipe of a new run: that of the spec's `train` section or one chosen for its images, changed by the flags.

In: the network, the images, the flags, the group of processes. Out: a recipe whose batch fits the memory and whose rate
is that of its step, and for its settings why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.api import Network
from archspec.compiler.data.dataset import Data
from archspec.compiler.training.setup.batch_size import with_batch
from archspec.compiler.training.setup.chosen_recipe import ChosenRecipe, chosen_recipe, usual_rate
from archspec.compiler.training.setup.options import RunContext
from archspec.diagnostics.errors import failure
from archspec.recipe import FINE_TUNE

AUTO, PAPER = "auto", "paper"
REPLACED = {"accumulate": "batch", "crop": "area", "scale": "area", "pad": "area"}  # what a flag decides too


def run_recipe(network: Network, data: Data, flags: Mapping[str, Any], context: RunContext) -> ChosenRecipe:
    """Return the recipe of a run; `flags` override it. Raises ArchspecError if the spec lacks one that is wanted."""
    is_own = context.options.is_own_spec
    wanted = context.options.recipe or (PAPER if is_own and network.recipe else AUTO)
    base, why = _section(network, is_own) if wanted == PAPER else _chosen(network, data, flags)
    recipe = base.changed(flags)
    if not {"batch", "accumulate"} & flags.keys():
        recipe = with_batch(network, recipe, base.reference_batch, len(data.train), context.group)
    found = dict(why)
    changes: dict[str, Any] = {}
    step = recipe.step_images(context.group.replicas)
    if "lr" in flags:
        changes["reference_batch"] = flags.get("reference_batch", step)
    elif wanted == AUTO or recipe.optimizer != base.optimizer:
        changes["lr"], found["lr"] = usual_rate(network, recipe.optimizer, step)
        changes["reference_batch"] = step
    recipe = recipe.changed(changes)
    if recipe.mode == "fine-tune" and "lr" not in flags:
        found["lr"] = f"a tenth of {recipe.lr:.3g}, so that fine-tuning keeps what was learned"
        recipe = recipe.changed({"lr": recipe.lr * FINE_TUNE})
    given = flags.keys() | {REPLACED[name] for name in flags.keys() & REPLACED.keys()}
    return ChosenRecipe(recipe, {name: text for name, text in found.items() if name not in given})


def _section(network: Network, is_own: bool) -> ChosenRecipe:
    if network.recipe is None:
        message = f"{network.title} has no `train` section, so it has no recipe of a paper"
        raise failure("E011", message, helps=("leave out `--recipe paper`",))
    source = f"the `train` section of `{network.source.name}`"
    return ChosenRecipe(network.recipe, {"recipe": f"{source}; `--recipe auto` chooses one" if is_own else source})


def _chosen(network: Network, data: Data, flags: Mapping[str, Any]) -> ChosenRecipe:
    are_photos = data.source != "digits"
    recipe, why = chosen_recipe(network, len(data.train), are_photos, flags)
    section = "; `--recipe paper` takes that of its `train` section" if network.recipe else ""
    return ChosenRecipe(recipe, {**why, "recipe": why["recipe"] + section})
