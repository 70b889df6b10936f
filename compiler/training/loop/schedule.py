"""The schedule of a run: how many steps an epoch has, and the learning rate of each step.

In: a recipe, the number of images and processes, and for `plateau` each epoch's held-out loss. Out: numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import shown
from archspec.recipe import Recipe


def steps_per_epoch(images: int, recipe: Recipe, processes: int) -> int:
    """Return the number of whole steps. Raises ArchspecError if there are fewer images than a step takes."""
    steps = images // processes // recipe.batch // recipe.accumulate
    if not steps:
        message = f"a step takes {recipe.step_images(processes):,} images, and there are {images:,} to train on"
        helps = (f"`--batch {max(1, images // processes // recipe.accumulate)}`",)
        if images < processes * recipe.accumulate:
            helps = ("a smaller `--accumulate`",)
        raise failure("E453", message, helps=helps)
    return steps


class Plateau:
    """Multiplies the learning rate by the recipe's factor when the held-out loss has not fallen for some epochs."""

    def __init__(self, recipe: Recipe) -> None:
        self.patience, self.by = recipe.patience, recipe.factor
        self.factor = 1.0
        self.best = math.inf
        self.waited = 0

    def restore(self, memory: Mapping[str, object]) -> None:
        """Continue from `vars` of another. Raises ValueError for anything else; the settings stay this one's."""
        best, factor, waited = (memory.get(name) for name in ("best", "factor", "waited"))
        if not isinstance(best, float) or math.isnan(best):
            raise ValueError(f"`plateau.best` is {shown(best)}; expected a loss")
        if not isinstance(factor, float) or not 0 <= factor <= 1:
            raise ValueError(f"`plateau.factor` is {shown(factor)}; expected a number from 0 to 1")
        if type(waited) is not int or waited < 0:
            raise ValueError(f"`plateau.waited` is {shown(waited)}; expected a count")
        self.best, self.factor, self.waited = best, factor, waited

    def see(self, loss: float) -> None:
        """Take the held-out loss of one more epoch."""
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * self.by, 0


def rate(recipe: Recipe, epoch: float, plateau: float = 1.0) -> float:
    """Return the learning rate as a share of its peak: a linear warm-up, then the schedule.

    `epoch` is a point of the run, such as 2.5 for the middle of the third epoch; `plateau` is the factor of a Plateau.
    """
    if epoch < recipe.warmup:
        return (epoch + 0.01) / (recipe.warmup + 0.01)
    if recipe.schedule == "plateau":
        return plateau
    if recipe.schedule == "step":
        return recipe.factor ** sum(epoch >= point for point in recipe.milestones)
    if recipe.schedule == "exponential":
        return float(recipe.factor ** math.floor((epoch - recipe.warmup) / recipe.every))
    if recipe.schedule in ("cosine", "linear"):
        share = min(1.0, (epoch - recipe.warmup) / max(1e-9, recipe.epochs - recipe.warmup))
        left = 0.5 * (1 + math.cos(math.pi * share)) if recipe.schedule == "cosine" else 1 - share
        least = recipe.lr_end / recipe.lr
        return least + (1 - least) * left
    return 1.0
