"""Optimiser and learning rate.

In: a module and a recipe. Out: the optimiser, weight decay on weights only, and the rate of every step. Biases and the
scales and shifts of normalisations (all that has one dimension) are not decayed.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim import Optimizer

from archspec.compiler.training.recipe import Recipe

STEPS = (1 / 3, 2 / 3, 8 / 9)  # where `step` divides the rate by 10: epochs 30, 60, 80 of 90
PATIENCE = 5  # epochs without a better loss, after which `plateau` does


def optimiser(module: nn.Module, recipe: Recipe) -> Optimizer:
    """The optimiser, its rate set by `rate` at each step."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [one for one in parameters if one.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [one for one in parameters if one.dim() <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr)
    return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)


class Plateau:
    """Divides the rate by 10 when the held-out loss has not fallen for some epochs."""

    def __init__(self) -> None:
        self.factor = 1.0
        self.best = math.inf
        self.waited = 0

    def see(self, loss: float) -> None:
        """Take an epoch's held-out loss."""
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited > PATIENCE:
            self.factor, self.waited = self.factor / 10, 0


def rate(recipe: Recipe, peak: float, epoch: float, plateau: Plateau) -> float:
    """The learning rate at a point of the run, in epochs: a linear warm-up, then the schedule."""
    if epoch < recipe.warmup:
        return peak * (epoch + 0.01) / (recipe.warmup + 0.01)
    if recipe.schedule == "plateau":
        return peak * plateau.factor
    if recipe.schedule == "constant":
        return peak
    share = (epoch - recipe.warmup) / max(1e-9, recipe.epochs - recipe.warmup)
    if recipe.schedule == "step":
        return peak * 0.1 ** sum(epoch >= point * recipe.epochs for point in STEPS)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
