"""What a run is made of: a network, its recipe, its images, and the weights it starts from, if any.

In: the command line, or a checkpoint. Out: a `RunConfiguration`, or one clear error from `requirements`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import archspec
from archspec.api import Network, overrides, restore
from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.dataset import Data
from archspec.compiler.data.digits import digits
from archspec.compiler.data.folder import checked, folder, photos_of
from archspec.compiler.data.hygiene.headers import headers
from archspec.compiler.data.hygiene.pair_findings import pair_findings
from archspec.compiler.data.hygiene.survey import findings_of, hygiene_lines
from archspec.compiler.data.maps.pair_data import pair_data, pair_files
from archspec.compiler.data.maps.pair_folder import pair_folder
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.compiler.data.photos import Photos
from archspec.compiler.threads import need_sensible, threads_for
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.parallel.stage_batches import shared_data
from archspec.compiler.training.records.checkpoint import Checkpoint
from archspec.compiler.training.setup import requirements
from archspec.compiler.training.setup.options import RunContext
from archspec.compiler.training.setup.run_recipe import run_recipe
from archspec.compiler.training.weighting.layer_rates import with_head_rate
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
    why: Mapping[str, str] = field(default_factory=dict)  # of settings, by their names

    @property
    def is_for_other_classes(self) -> bool:
        """Whether it starts from weights whose classifier has to be reinitialised."""
        return self.start is not None and self.start.class_names != self.data.class_names


def from_flags(
    spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], context: RunContext
) -> RunConfiguration:
    """Return what the command line asks for: `flags` override the spec's recipe. Raises ArchspecError."""
    options, group = context.options, context.group
    start = open_trained(options.weights) if options.weights else None
    network = _changed(start, changes) if spec is None and start is not None else archspec.load(spec or "", **changes)
    requirements.trainable(network, group)
    requirements.memory(network, group, flags.get("checkpoint", False))
    if start is not None and start.metadata.seed is not None:  # images that the weights have seen are not held out
        flags = {"seed": start.metadata.seed, **flags}
    data = _data(network, Recipe(seed=flags.get("seed", 0)), context)
    if start is not None and len(start.preprocessing.mean) == network.input.channels:
        data = replace(data, mean=start.preprocessing.mean, std=start.preprocessing.std)
    network = _with_classes(network, len(data.class_names), context)
    recipe, why = run_recipe(network, data, flags, context)
    requirements.warmup(recipe)
    requirements.same_pixels(network, recipe)
    requirements.one_classifier(network, recipe)
    requirements.statistics(network, recipe)
    requirements.pipeline(recipe, group)
    requirements.synchronised(recipe, group)
    need_sensible(recipe.threads)
    found = RunConfiguration(network, _with_threads(network, recipe, group), _augmented(data, recipe), start, why)
    if found.is_for_other_classes and not {"lr", "head_lr", "layer_decay"} & flags.keys():
        return replace(found, recipe=with_head_rate(found.recipe, group.replicas))
    return found


def _with_threads(network: Network, recipe: Recipe, group: Group) -> Recipe:
    """Return the recipe with a number of threads, which a resumed run keeps: sums of floats depend on it."""
    if recipe.threads or group.device.type != "cpu":
        return recipe
    return recipe.changed({"threads": threads_for(network, recipe.batch, group.neighbours).number})


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
    requirements.trainable(network, context.group)
    requirements.memory(network, context.group, kept.recipe.checkpoint)
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
    data = _augmented(replace(data, mean=kept.mean, std=kept.std), kept.recipe)
    return RunConfiguration(network, kept.recipe, data, why=kept.why)


def _data(network: Network, recipe: Recipe, context: RunContext) -> Data:
    return shared_data(lambda: _read(network, recipe, context), network.input.laid_out, context.group)


def _read(network: Network, recipe: Recipe, context: RunContext) -> Data:
    root = context.options.data
    if network.output.is_map:
        return _read_pairs(requirements.masks(network, root), network, recipe, context)
    if root is None:
        return digits(network.input, recipe.seed)
    requirements.classes(network, root)
    listed = folder(root, network.input, recipe)
    found = headers(path for part in photos_of(listed) for path in part.paths)
    data = checked(listed, found)
    lines = first_few([f"cannot read `{path}`: left out" for path in data.damaged])
    if context.group.is_first:
        known = findings_of(root, data, found)
        lines = (*lines, *hygiene_lines(known))
        data = replace(data, findings=tuple(one.diagnostic() for one in known))
    for line in lines:
        context.say(line)
    return data


def _read_pairs(root: Path, network: Network, recipe: Recipe, context: RunContext) -> Data:
    files = pair_files(pair_folder(root))
    data = pair_data(files, MapVolumes(network.input, network.output), recipe)
    known = pair_findings(files, data, network.input) if context.group.is_first else ()
    for line in (*first_few([f"cannot read `{path}`: left out" for path in data.damaged]), *hygiene_lines(known)):
        context.say(line)
    return replace(data, findings=tuple(one.diagnostic() for one in known))


def _augmented(data: Data, recipe: Recipe) -> Data:
    """Return the data whose photographs are augmented as the recipe says."""
    train, held_out = (
        part.augmented(recipe) if isinstance(part, Photos | Pairs) else part for part in (data.train, data.held_out)
    )
    return replace(data, train=train, held_out=held_out)


def _with_classes(network: Network, classes: int, context: RunContext) -> Network:
    """Return the network with one class score for each class of the data."""
    outputs = network.output.channels
    if outputs == classes:
        return network
    context.say(f"{network.title} outputs {outputs:,} classes, the data have {classes}: using {classes} classes")
    try:
        return restore({**network.bundle.to_dict(), "classes": classes})
    except ArchspecError as error:  # the spec is to blame, not the command line
        (wrong, *_) = error.diagnostics
        raise failure("E454", wrong.message, wrong.labels, wrong.notes, wrong.helps) from None
