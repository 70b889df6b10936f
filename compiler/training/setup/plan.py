"""What a run is going to do, before it does it: `archspec train --dry-run`, and the first lines of a run.

In: a network, its recipe, its data, the processes. Out: the resolved recipe as data and as lines.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from archspec.analyses.partition import cut
from archspec.api import Network
from archspec.compiler.data.dataset import Data
from archspec.compiler.training.loop.optimizer import groups
from archspec.compiler.training.loop.trainer import steps_of_epoch
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup.requirements import memory_of
from archspec.diagnostics.findings import plural
from archspec.recipe import FINE_TUNE, Recipe
from archspec.report.stage_table import stages_data, stages_table

LEAST_BATCH = 2  # one image alone has no batch statistics
LEAST_STEPS = 10  # an epoch, where nobody says how large a batch is
SHARE_OF_MEMORY = 0.8
STATES = {"sgd": 1, "adamw": 2, "rmsprop": 2}  # numbers that an optimiser keeps for each weight
GIB = 2**30
WIDTH = 86  # of the table of stages, behind its name


def counts(module: nn.Module, recipe: Recipe) -> tuple[int, int, int]:
    """How many parameters are decayed, learn without decay, and do not learn."""
    decayed, others = (sum(one.numel() for one in group["params"]) for group in groups(module.parameters(), recipe))
    return decayed, others, sum(one.numel() for one in module.parameters() if not one.requires_grad)


def plan(
    network: Network, learning: tuple[int, int, int], recipe: Recipe, data: Data, processes: int
) -> dict[str, Any]:
    """The resolved recipe, `learning` the `counts` of its parameters. Raises ArchspecError for too few images."""
    steps = steps_of_epoch(len(data.train), recipe, processes)
    return {
        "network": network.title,
        "params": network.params,
        "data": data.description,
        "variation": data.variation,
        "classes": len(data.class_names),
        "recipe": recipe.to_dict(),
        "processes": processes,
        "step_images": recipe.step_images(processes),
        "lr": recipe.scaled_lr(processes),
        "decayed": learning[0],
        "not_decayed": learning[1],
        "frozen": learning[2],
        "steps_per_epoch": steps,
        "steps": steps * recipe.epochs,
        "memory_bytes": _memory(network, recipe),
    }


def stages_of(network: Network, stages: int) -> dict[str, Any]:
    """How a pipeline cuts the network, as data and as lines; nothing for no stages."""
    if not stages:
        return {}
    found = cut(network.graph, stages)
    table = stages_table(network.graph, found, WIDTH).splitlines()
    return {"stages": stages_data(network.graph, found), "stages_table": table}


def with_batch(network: Network, recipe: Recipe, images: int, group: Group) -> Recipe:
    """The recipe with a batch that fits: as many images a step as its rate is for, fewer where the data are few; taken
    in as many parts as the predicted memory of a process needs, which does not change what is learned but for batch
    normalisation.
    """
    step = max(1, min(recipe.reference_batch, images // LEAST_STEPS))
    if group.is_pipeline:  # twice as many parts as stages, so that most of the time all of them work
        accumulate = min(2 * group.size, step)
        return recipe.changed({"batch": step // accumulate, "accumulate": accumulate})
    memory = SHARE_OF_MEMORY * memory_of(group.device) / (1 if group.device.type == "cuda" else group.size)
    batch, accumulate = max(LEAST_BATCH, step // group.replicas), 1
    while batch > LEAST_BATCH and _memory(network, recipe.changed({"batch": batch})) > memory:
        accumulate *= 2
        batch = max(LEAST_BATCH, step // group.replicas // accumulate)
    return recipe.changed({"batch": batch, "accumulate": accumulate})


def _memory(network: Network, recipe: Recipe) -> int:
    """The predicted peak of a process in float32. The analysis counts SGD with momentum, one number a weight."""
    kept = STATES[recipe.optimizer] - 1 - (recipe.optimizer == "sgd" and not recipe.momentum) + bool(recipe.ema)
    return network.training_bytes(recipe.batch) + 4 * network.params * kept


def lines(found: dict[str, Any], recipe: Recipe) -> list[str]:
    """The plan as people read it, one fact a line."""
    processes, steps = found["processes"], found["steps_per_epoch"]
    parts = [f"{recipe.accumulate} accumulated"] if recipe.accumulate > 1 else []
    parts += [f"{processes} processes"] if processes > 1 else []
    step = " x ".join([plural(found["step_images"], "image") + (f": {recipe.batch}" if parts else ""), *parts])
    learning = f"{found['decayed']:,} weights decayed by {recipe.weight_decay:g}, {found['not_decayed']:,} biases and"
    return [
        f"network       {found['network']}, {found['params']:,} parameters, {found['classes']} classes",
        f"data          {found['data']}",
        f"a step        {step}",
        f"steps         {steps:,} an epoch x {plural(recipe.epochs, 'epoch')} = {found['steps']:,}",
        f"rate          {_rate(recipe, processes)}",
        f"schedule      {_schedule(recipe, processes)}",
        f"optimizer     {_optimizer(recipe)}",
        f"parameters    {learning} norms not" + (f", {found['frozen']:,} frozen" if found["frozen"] else ""),
        f"augmentation  {_augmentation(recipe, found['variation'])}",
        f"loss          cross entropy, label smoothing {recipe.label_smoothing:g}"
        + (f", gradients clipped to a norm of {recipe.clip:g}" if recipe.clip else ""),
        f"precision     {'float32' if recipe.amp == 'off' else recipe.amp + ' mixed with float32'}"
        + (", channels last" if recipe.channels_last else "")
        + (", compiled" if recipe.compile else ""),
        f"average       {f'of the weights, decay {recipe.ema:g}' if recipe.ema else 'none'}",
        f"memory        {_size(found['memory_bytes'])} a process, predicted for float32",
        f"seed          {recipe.seed}",
        *(
            f"pipeline      {line}" if not place else f"              {line}"
            for place, line in enumerate(found.get("stages_table", ()))
        ),
    ]


def _size(size: int) -> str:
    return f"{size / GIB:.2f} GiB" if size >= GIB else f"{size / 2**20:.3g} MiB"


def _rate(recipe: Recipe, processes: int) -> str:
    parts = [f"{recipe.lr:g}"]
    if recipe.mode == "fine-tune":
        parts.append(f"{FINE_TUNE:g} (fine-tuning)")
    parts.append(f"{recipe.step_images(processes)}/{recipe.reference_batch}")
    return " x ".join(parts) + f" = {recipe.scaled_lr(processes):g}"


def _schedule(recipe: Recipe, processes: int) -> str:
    end = recipe.lr_end * recipe.scale_of_lr(processes)
    after = {
        "constant": "constant",
        "cosine": f"cosine to {end:g}",
        "linear": f"in a line to {end:g}",
        "step": f"x {recipe.factor:g} at epochs " + " ".join(f"{point:g}" for point in recipe.milestones),
        "plateau": f"x {recipe.factor:g} after {recipe.patience} epochs without a better held-out loss",
        "exponential": f"x {recipe.factor:g} every {recipe.every:g} epochs",
    }[recipe.schedule]
    return (f"warm-up of {recipe.warmup:.3g} epochs, then " if recipe.warmup else "") + after


def _optimizer(recipe: Recipe) -> str:
    if recipe.optimizer == "adamw":
        return f"AdamW, betas {recipe.momentum:g} and {recipe.beta2:g}"
    if recipe.optimizer == "rmsprop":
        return f"RMSProp, decay {recipe.beta2:g}, momentum {recipe.momentum:g}, eps {recipe.eps:g}"
    return f"SGD, momentum {recipe.momentum:g}" + (" (Nesterov)" if recipe.nesterov else "")


def _augmentation(recipe: Recipe, own: str) -> str:
    photos = {
        f"crop from images {recipe.crop:g} times as large": recipe.crop > 1 and not (recipe.area or recipe.scale),
        f"resized crop of {recipe.area:g} or more of the image": recipe.area,
        "short side x " + " to ".join(f"{one:g}" for one in recipe.scale): recipe.scale and not recipe.area,
        "flip": recipe.flip,
        f"colour {recipe.color:g}": recipe.color,
    }
    batches = {
        f"cutout {recipe.cutout:g}": recipe.cutout,
        f"mixup {recipe.mixup:g}": recipe.mixup,
        f"cutmix {recipe.cutmix:g}": recipe.cutmix,
    }
    parts = {own: True, **batches} if own else {**photos, **batches}
    return ", ".join(name for name, is_on in parts.items() if is_on) or "none"
