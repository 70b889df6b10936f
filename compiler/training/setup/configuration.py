"""What a run is made of: a network, its recipe, its images, and the weights it starts from, if any.

In: the command line, or a checkpoint. Out: a `RunConfiguration`, or one clear error from `requirements`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import archspec
from archspec.api import Network, overrides, restore
from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.dataset import Data
from archspec.compiler.data.digits import digits
from archspec.compiler.data.folder import checked, folder
from archspec.compiler.training.records.checkpoint import Checkpoint
from archspec.compiler.training.setup import requirements
from archspec.compiler.training.setup.batch_size import with_batch
from archspec.compiler.training.setup.options import RunContext
from archspec.compiler.weights.trained import Trained, open_trained
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import plural
from archspec.recipe import Recipe


@dataclass(frozen=True)
class RunConfiguration:
    """What is trained, on what, and how; `start` has the weights of an earlier run to start from."""

    network: Network
    recipe: Recipe
    data: Data
    start: Trained | None = None


def from_flags(
    spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], context: RunContext
) -> RunConfiguration:
    """Return what the command line asks for: `flags` override the spec's recipe. Raises ArchspecError."""
    options, group = context.options, context.group
    start = open_trained(options.weights) if options.weights else None
    network = _changed(start, changes) if spec is None and start is not None else archspec.load(spec or "", **changes)
    requirements.classifier(network)
    requirements.memory(network, group.device, flags.get("checkpoint", False))
    recipe = network.recipe or Recipe(flip=options.data is not None)
    if start is not None and start.metadata.seed is not None:  # images that the weights have seen are not held out
        recipe = recipe.changed({"seed": start.metadata.seed})
    recipe = recipe.changed(flags)
    data = _data(network, recipe, context)
    requirements.warmup(recipe)
    if start is not None and len(start.preprocessing.mean) == network.input.channels:
        data = replace(data, mean=start.preprocessing.mean, std=start.preprocessing.std)
    network = _with_classes(network, len(data.class_names), context)
    if not {"batch", "accumulate"} & flags.keys():
        recipe = with_batch(network, recipe, len(data.train), group)
    requirements.statistics(network, recipe)
    requirements.pipeline(recipe, group)
    return RunConfiguration(network, recipe, data, start)


def _changed(start: Trained, changes: Mapping[str, Any]) -> Network:
    """Return the network of weights, with the changes of the command line. Raises ArchspecError."""
    given = overrides(input=changes["input"], classes=changes["classes"], variant=changes["variant"], values={})
    bundle = start.network.bundle.to_dict()
    bundle["set"] |= changes["set"]
    more = {"input": given.input, "classes": given.classes, "variant": given.variant}
    return restore({**bundle, **{name: value for name, value in more.items() if value is not None}})


def from_checkpoint(checkpoint: Checkpoint, context: RunContext) -> RunConfiguration:
    """Return what an interrupted run was made of. Raises ArchspecError if its images have changed."""
    kept = checkpoint.description
    network = restore(kept.bundle, "the checkpoint")
    requirements.classifier(network)
    requirements.memory(network, context.group.device, kept.recipe.checkpoint)
    for name, numbers in (("mean", kept.mean), ("std", kept.std)):
        if len(numbers) != network.input.channels:
            channels = plural(network.input.channels, "channel")
            raise ValueError(f"`{name}` has {plural(len(numbers), 'number')} for {channels}")
    data = _data(network, kept.recipe, context)
    if data.class_names != kept.class_names or data.fingerprint != checkpoint.fingerprint:
        folder_of_images = context.options.data
        images = "bundled digits" if folder_of_images is None else f"images in `{folder_of_images}`"
        message = f"the {images} have changed since the run began"
        restored = "" if folder_of_images is None else "restore them, or "
        helps = (f"{restored}start another run: `--from` takes this one's best.safetensors",)
        raise failure("E450", message, helps=helps)
    return RunConfiguration(network, kept.recipe, replace(data, mean=kept.mean, std=kept.std))


def _data(network: Network, recipe: Recipe, context: RunContext) -> Data:
    root = context.options.data
    if root is None:
        return digits(network.input, recipe.seed)
    data = checked(folder(root, network.input, recipe))
    for line in first_few([f"cannot read `{path}`: left out" for path in data.damaged]):
        context.say(line)
    return data


def _with_classes(network: Network, classes: int, context: RunContext) -> Network:
    """Return the network with one class score for each class of the data."""
    if network.output == (classes,):
        return network
    outputs = network.output[0]
    context.say(f"{network.title} outputs {outputs:,} classes, the data have {classes}: using {classes} classes")
    try:
        return restore({**network.bundle.to_dict(), "classes": classes})
    except ArchspecError as error:  # the spec is to blame, not the command line
        (wrong, *_) = error.diagnostics
        raise failure("E454", wrong.message, wrong.labels, wrong.notes, wrong.helps) from None
