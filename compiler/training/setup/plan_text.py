"""A training plan as people read it, one fact a line.

In: a `TrainingPlan`. Out: lines.
"""

from __future__ import annotations

from archspec.compiler.memory import size_text
from archspec.compiler.training.setup.plan import TrainingPlan
from archspec.diagnostics.findings import plural
from archspec.recipe import FINE_TUNE, Recipe
from archspec.report import WIDTH
from archspec.report.stage_table import stages_table

NAMES = 14  # columns


def plan_lines(plan: TrainingPlan) -> list[str]:
    """Return the lines; a pipeline's stages are a table below them."""
    recipe, count = plan.recipe, plan.parameters
    frozen = f"; {count.frozen:,} frozen" if count.frozen else ""
    facts = {
        "network": f"{plan.network.title}, {plan.network.params:,} parameters, {plan.classes} classes",
        "data": plan.data,
        "step": _step(plan),
        "steps": f"{plan.steps_per_epoch:,} per epoch x {plural(recipe.epochs, 'epoch')} = {plan.steps:,}",
        "learning rate": _rate(recipe, plan.processes),
        "schedule": _schedule(recipe, plan.processes),
        "optimizer": _optimizer(recipe),
        "weight decay": f"{recipe.weight_decay:g} on {count.decayed:,} weights; "
        f"none on {count.not_decayed:,} biases and norm parameters{frozen}",
        "augmentation": _augmentation(recipe, plan.variation),
        "loss": _loss(recipe),
        "precision": _precision(recipe),
        "weight average": f"decay {recipe.ema:g}" if recipe.ema else "none",
        "memory": _memory(plan),
        "seed": f"{recipe.seed}",
    }
    lines = [named(name, fact) for name, fact in facts.items()]
    if plan.stages:
        first, *rest = stages_table(plan.network.graph, plan.stages, WIDTH - NAMES - 2).splitlines()
        lines += [named("pipeline", first), *(named("", line) for line in rest)]
    return lines


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


def _loss(recipe: Recipe) -> str:
    parts = ["cross-entropy"]
    parts += [f"label smoothing {recipe.label_smoothing:g}"] if recipe.label_smoothing else []
    parts += [f"gradient norm clipped to {recipe.clip:g}"] if recipe.clip else []
    return ", ".join(parts)


def _precision(recipe: Recipe) -> str:
    parts = ["float32" if recipe.amp == "off" else f"mixed {recipe.amp} and float32"]
    parts += ["channels last"] if recipe.channels_last else []
    parts += ["compiled"] if recipe.compile else []
    return ", ".join(parts)


def _augmentation(recipe: Recipe, own: str) -> str:
    photos = {
        f"crops of images {recipe.crop:g} times as large": recipe.crop > 1 and not (recipe.area or recipe.scale),
        f"resized crops of at least {100 * recipe.area:g} % of the image": recipe.area,
        "short side x " + " to ".join(f"{one:g}" for one in recipe.scale): recipe.scale and not recipe.area,
        "horizontal flips": recipe.flip,
        f"colour jitter {recipe.color:g}": recipe.color,
    }
    batches = {
        f"cutout {recipe.cutout:g}": recipe.cutout,
        f"mixup {recipe.mixup:g}": recipe.mixup,
        f"cutmix {recipe.cutmix:g}": recipe.cutmix,
    }
    parts = {own: True, **batches} if own else {**photos, **batches}
    return ", ".join(name for name, is_on in parts.items() if is_on) or "none"
