"""A training plan as people read it, one fact a line.

In: a `TrainingPlan`. Out: lines.
"""

from __future__ import annotations

from textwrap import wrap

from archspec.api import Network
from archspec.compiler.data.maps.masks import IGNORED
from archspec.compiler.memory import size_text
from archspec.compiler.training.setup.plan import TrainingPlan
from archspec.compiler.training.weighting.frozen import frozen_layers, without_loss
from archspec.compiler.training.weighting.layer_rates import head_layers, layer_depths
from archspec.diagnostics.findings import plural
from archspec.recipe import Recipe
from archspec.report import WIDTH
from archspec.report.stage_table import stages_table

NAMES = 14  # columns
FIELDS = {  # of a recipe, whose reason a line shows
    "step": "batch",
    "learning rate": "lr",
    "optimizer": "optimizer",
    "augmentation": "area",
}
WRAPPED = ("recipe", "augmentation", "loss", "not trained")


def plan_lines(plan: TrainingPlan) -> list[str]:
    """Return the lines; a pipeline's stages are a table below them."""
    recipe, count = plan.recipe, plan.parameters
    frozen = f"; {count.frozen:,} frozen" if count.frozen else ""
    facts = {
        "network": f"{plan.network.title}, {plan.network.params:,} parameters, {plan.classes} classes",
        "data": plan.data,
        "masks": _masks(plan.network),
        "recipe": plan.why.get("recipe", ""),
        "step": _step(plan),
        "steps": f"{plan.steps_per_epoch:,} per epoch x {plural(recipe.epochs, 'epoch')} = {plan.steps:,}",
        "learning rate": _rate(recipe, plan.processes),
        "head rate": _head_rate(plan),
        "layer decay": _layer_decay(plan),
        "schedule": _schedule(recipe, plan.processes),
        "optimizer": _optimizer(recipe),
        "weight decay": f"{recipe.weight_decay:g} on {count.decayed:,} weights; "
        f"none on {count.not_decayed:,} biases and norm parameters{frozen}",
        "frozen": _frozen(plan),
        "not trained": _without_loss(plan.network),
        "sampling": "as many images of each class in every epoch" if recipe.sampling == "balanced" else "",
        "augmentation": _augmentation(recipe, plan.variation),
        "evaluated on": f"the centre {100 * recipe.eval_crop:g} % of each side" if recipe.eval_crop < 1 else "",
        "loss": _loss(recipe, plan.network),
        "class weights": _class_weights(plan),
        "precision": _precision(recipe),
        "weight average": f"decay {recipe.ema:g}" if recipe.ema else "none",
        "threads": _threads(plan),
        "memory": _memory(plan),
        "seed": f"{recipe.seed}",
    }
    lines = [
        line
        for name, fact in facts.items()
        if fact
        for line in _lines(name, fact, plan.why.get(FIELDS.get(name, ""), ""))
    ]
    if plan.stages:
        first, *rest = stages_table(plan.network.graph, plan.stages, WIDTH - NAMES - 2).splitlines()
        lines += [named("pipeline", first), *(named("", line) for line in rest)]
    return lines


def _lines(name: str, fact: str, why: str) -> list[str]:
    """Return the lines of a fact and its reason, which is below it where both do not fit into a line. A path is not
    torn."""
    reason = f"({why})" if why else ""
    together = f"{fact} {reason}".strip()
    width = WIDTH - NAMES - 2
    parts = [together] if len(together) <= width or not why else [fact, reason]
    if name in WRAPPED:
        parts = [line for part in parts for line in wrap(part, width)]
    return [named("" if number else name, part) for number, part in enumerate(parts)]


def named(name: str, fact: str) -> str:
    """Return a line of the plan."""
    return f"{name:{NAMES}}  {fact}"


def _memory(plan: TrainingPlan) -> str:
    text = f"{size_text(plan.memory_bytes)} per process, predicted for float32"
    if (other := plan.other_memory_bytes) is None:
        return text
    return text + f" ({size_text(other)} {'without' if plan.recipe.checkpoint else 'with'} `--checkpoint`)"


def _step(plan: TrainingPlan) -> str:
    recipe, processes = plan.recipe, plan.processes
    parts = [f"{recipe.accumulate} batches"] if recipe.accumulate > 1 else []
    parts += [f"{processes} processes"] if processes > 1 else []
    images = plural(recipe.step_images(processes), "image")
    return " x ".join([f"{images}: {recipe.batch}", *parts]) if parts else images


def _rate(recipe: Recipe, processes: int) -> str:
    images = recipe.step_images(processes)
    if images == recipe.reference_batch:
        return f"{recipe.lr:g}"
    return f"{recipe.lr:g} x {images}/{recipe.reference_batch} = {recipe.scaled_lr(processes):g}"


def _head_rate(plan: TrainingPlan) -> str:
    if not plan.recipe.head_lr:
        return ""
    times = plan.recipe.head_lr / plan.recipe.scaled_lr(plan.processes)
    return f"{plan.recipe.head_lr:g} for {', '.join(head_layers(plan.network.graph))}, {times:.3g} x the others'"


def _layer_decay(plan: TrainingPlan) -> str:
    decay = plan.recipe.layer_decay
    if decay == 1:
        return ""
    top = max(layer_depths(plan.network.graph).values())
    return f"x {decay:g} per depth below the classifier, {top} in all: x {decay**top:.3g} at the first layer"


def _frozen(plan: TrainingPlan) -> str:
    if not plan.recipe.freeze:
        return ""
    frozen = frozen_layers(plan.network.graph, plan.recipe) - {*without_loss(plan.network.graph)}
    layers = plural(len(frozen), "layer")
    return f"{', '.join(plan.recipe.freeze)}: {layers}, {plan.parameters.frozen:,} parameters"


def _without_loss(network: Network) -> str:
    """Return the layers that training leaves out."""
    names = without_loss(network.graph)
    return f"{', '.join(names)}: no loss depends on {'it' if len(names) == 1 else 'them'}" if names else ""


def _masks(network: Network) -> str:
    """Return which pixels of the input have classes."""
    if not network.output.is_map:
        return ""
    inside, outside = ("x".join(map(str, volume.spatial)) for volume in (network.output, network.input))
    which = "a class for each pixel"
    if inside != outside:
        which = f"cropped to the central {inside} of {outside} pixels, as the output"
    return f"{which}; {IGNORED} is ignored; best weights by mean IoU"


def _class_weights(plan: TrainingPlan) -> str:
    weights = plan.class_weights
    if not weights:
        return ""
    ranked = sorted(weights, key=lambda name: weights[name])
    ends = " to ".join(f"{weights[name]:.3g} ({name})" for name in (ranked[0], ranked[-1]))
    return f"{ends}, 1 in the mean over an epoch's {'pixels' if plan.network.output.is_map else 'images'}"


def _schedule(recipe: Recipe, processes: int) -> str:
    end = recipe.lr_end * recipe.scale_of_lr(processes)
    after = {
        "constant": "constant",
        "cosine": f"cosine to {end:g}",
        "linear": f"linear to {end:g}",
        "step": f"x {recipe.factor:g} at epochs " + ", ".join(f"{point:g}" for point in recipe.milestones),
        "plateau": f"x {recipe.factor:g} after {recipe.patience} epochs without a lower held-out loss",
        "exponential": f"x {recipe.factor:g} every {epochs_text(recipe.every)}",
    }[recipe.schedule]
    return (f"warm-up for {epochs_text(recipe.warmup)}, then " if recipe.warmup else "") + after


def epochs_text(epochs: float) -> str:
    """Return `1 epoch`, `2.5 epochs`."""
    return f"{epochs:.3g} epoch" + ("" if epochs == 1 else "s")


def _optimizer(recipe: Recipe) -> str:
    if recipe.optimizer == "adamw":
        return f"AdamW, betas {recipe.momentum:g} and {recipe.beta2:g}"
    if recipe.optimizer == "rmsprop":
        return f"RMSProp, decay {recipe.beta2:g}, momentum {recipe.momentum:g}, eps {recipe.eps:g}"
    return f"SGD, momentum {recipe.momentum:g}" + (" (Nesterov)" if recipe.nesterov else "")


def _loss(recipe: Recipe, network: Network) -> str:
    parts = ["cross-entropy of pixels" if network.output.is_map else "cross-entropy"]
    if named := network.graph.named_losses:
        parts = [f"{parts[0]} of {' and '.join(f'{loss.weight:g} x {loss.name}' for loss in named)}"]
    parts += [f"label smoothing {recipe.label_smoothing:g}"] if recipe.label_smoothing else []
    parts += [f"gradient norm clipped to {recipe.clip:g}"] if recipe.clip else []
    return ", ".join(parts)


def _precision(recipe: Recipe) -> str:
    parts = ["float32" if recipe.amp == "off" else f"mixed {recipe.amp} and float32"]
    parts += ["channels last"] if recipe.channels_last else []
    parts += ["compiled"] if recipe.compile else []
    parts += ["batch statistics over all processes"] if recipe.sync_bn else []
    return ", ".join(parts)


def _threads(plan: TrainingPlan) -> str:
    number = f"{plan.recipe.threads:,}" if plan.recipe.threads else ""
    return f"{number}: {plan.threads_reason}" if number and plan.threads_reason else number


def _augmentation(recipe: Recipe, own: str) -> str:
    photos = {
        f"crops of images {recipe.crop:g} times as large": recipe.crop > 1
        and not (recipe.area or recipe.pad or recipe.scale),
        f"resized crops of at least {100 * recipe.area:g} % of the image": recipe.area,
        "short side x " + " to ".join(f"{one:g}" for one in recipe.scale): recipe.scale
        and not (recipe.area or recipe.pad),
        f"crops of images with {recipe.pad} black pixels around them": recipe.pad and not recipe.area,
        "horizontal flips": recipe.flip,
        f"colour jitter {recipe.color:g}": recipe.color,
        f"RandAugment {recipe.randaugment:g}": recipe.randaugment,
    }
    batches = {
        f"cutout {recipe.cutout:g}": recipe.cutout,
        f"erasing {recipe.erasing:g}": recipe.erasing,
        f"mixup {recipe.mixup:g}": recipe.mixup,
        f"cutmix {recipe.cutmix:g}": recipe.cutmix,
    }
    parts = {own: True, **batches} if own else {**photos, **batches}
    return ", ".join(name for name, is_on in parts.items() if is_on) or "none"
