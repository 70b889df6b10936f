"""The optimiser of a run.

In: a module's parameters and a recipe. Out: torch's optimiser, with weight decay on weights only. Biases and the scales
and shifts of normalisations (everything one-dimensional) are not decayed, nor are position embeddings and tables of
relative positions, which are biases of positions. Learning rates are set by `schedule`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import nn
from torch.optim import Optimizer

from archspec.recipe import Recipe


class ParameterGroups(NamedTuple):
    """The parameters that are trained."""

    decayed: list[nn.Parameter]
    not_decayed: list[nn.Parameter]


def parameter_groups(parameters: Iterable[nn.Parameter]) -> ParameterGroups:
    """Return the trained parameters, with and without weight decay; frozen ones are in neither group."""
    trained = [one for one in parameters if one.requires_grad]
    decayed = [one for one in trained if one.dim() > 1 and getattr(one, "decays", True)]
    known = set(map(id, decayed))
    return ParameterGroups(decayed, [one for one in trained if id(one) not in known])


def optimiser(parameters: Iterable[nn.Parameter], recipe: Recipe) -> Optimizer:
    """Return the recipe's optimiser, fused into one pass over the parameters where torch can."""
    decays = zip(parameter_groups(parameters), (recipe.weight_decay, 0.0), strict=True)
    found = [{"params": group, "weight_decay": decay} for group, decay in decays if group]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(found, lr=recipe.lr, betas=(recipe.momentum, recipe.beta2), fused=True)
    if recipe.optimizer == "rmsprop":
        # papers give TensorFlow's eps, which is added under the root; torch adds it to the root
        eps = math.sqrt(recipe.eps)
        return torch.optim.RMSprop(found, lr=recipe.lr, alpha=recipe.beta2, momentum=recipe.momentum, eps=eps)
    nesterov = recipe.nesterov and recipe.momentum > 0
    sgd = torch.optim.SGD(found, lr=recipe.lr, momentum=recipe.momentum, nesterov=nesterov, fused=True)
    if recipe.momentum:
        for parameter in (one for group in sgd.param_groups for one in group["params"]):
            # torch allocates them in the first step, and if that step is skipped leaves them uninitialised
            sgd.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return sgd
