"""Optimiser and learning rate.

In: a module and a recipe. Out: the optimiser, weight decay on weights only, and the rate of every step. Biases and the
scales and shifts of normalisations (all that has one dimension) are not decayed, nor are position embeddings and tables
of relative positions, which are biases of places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from archspec.recipe import Recipe


def groups(parameters: Iterable[nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """The parameters that learn, in two groups: decayed, and not."""
    learning = [one for one in parameters if one.requires_grad]
    weights = [one for one in learning if one.dim() > 1 and getattr(one, "decays", True)]
    decayed = set(map(id, weights))
    others = [one for one in learning if id(one) not in decayed]
    return [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]


def optimiser(parameters: Iterable[nn.Parameter], recipe: Recipe) -> Optimizer:
    """The optimiser, its rate set by `rate` at each step; fused into one pass over the parameters where torch can."""
    found = [group for group in groups(parameters, recipe) if group["params"]]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(found, lr=recipe.lr, betas=(recipe.momentum, recipe.beta2), fused=True)
    if recipe.optimizer == "rmsprop":
        # papers have TensorFlow's eps, which stands under the root; torch adds it to the root
        eps = math.sqrt(recipe.eps)
        return torch.optim.RMSprop(found, lr=recipe.lr, alpha=recipe.beta2, momentum=recipe.momentum, eps=eps)
    is_ahead = recipe.nesterov and recipe.momentum > 0
    sgd = torch.optim.SGD(found, lr=recipe.lr, momentum=recipe.momentum, nesterov=is_ahead, fused=True)
    if recipe.momentum:
        for one in (one for group in found for one in group["params"]):
            # torch makes them in the first step, and where that step is skipped leaves in them what memory held
            sgd.state[one]["momentum_buffer"] = torch.zeros_like(one)
    return sgd


class Plateau:
    """Multiplies the rate by the recipe's factor when the held-out loss has not fallen for some epochs."""

    def __init__(self, recipe: Recipe) -> None:
        self.patience, self.by = recipe.patience, recipe.factor
        self.factor = 1.0
        self.best = math.inf
        self.waited = 0

    def see(self, loss: float) -> None:
        """Take an epoch's held-out loss."""
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * self.by, 0


def rate(recipe: Recipe, epoch: float, plateau: float = 1.0) -> float:
    """The learning rate at a point of the run, in epochs, as a share of the scaled rate: a linear warm-up, then the
    schedule. `plateau` is a Plateau's factor."""
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


class Average:
    """An exponential moving average of the weights and of the batch normalisations' statistics: an average over some
    1 / (1 - decay) steps, which is often better than the last weights (Polyak & Juditsky 1992).

    It begins as a plain mean, so that the first weights do not stay in it: decay is (1 + n) / (10 + n) for few steps n.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def see(self, module: nn.Module, steps: int, finite: Tensor) -> None:
        """Take the weights after so many steps, unless the last was not finite: the device decides."""
        share = (1 - min(self.decay, (1 + steps) / (10 + steps))) * finite
        pairs = [(self.values[name], value) for name, value in module.state_dict().items()]
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        own = [pair[0] for pair in floats]
        change = list(torch._foreach_sub([pair[1] for pair in floats], own))
        torch._foreach_mul_(change, share)
        torch._foreach_add_(own, change)
        for kept, value in pairs:
            if not kept.is_floating_point():
                kept.copy_(value)
