"""The optimiser of a run.

In: a module's parameters and a recipe. Out: torch's optimiser, with weight decay on weights only. Biases and the scales
and shifts of normalisations (everything one-dimensional) are not decayed, nor are position embeddings and tables of
relative positions, which are biases of positions. Learning rates are set by `schedule`, times each group's `lr_scale`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from archspec.diagnostics.findings import shown
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
    found = [
        {"params": own, "weight_decay": decay, "lr_scale": scale}
        for group, decay in decays
        for scale, own in _by_scale(group).items()
    ]
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


def _by_scale(parameters: Iterable[nn.Parameter]) -> dict[float, list[nn.Parameter]]:
    """Return parameters by their share of the learning rate."""
    found: dict[float, list[nn.Parameter]] = {}
    for one in parameters:
        found.setdefault(getattr(one, "lr_scale", 1.0), []).append(one)
    return found


def restore_state(optimizer: Optimizer, state: object) -> None:
    """Give an optimiser the state of its parameters by their numbers, as `state_dict` has it, but no settings.

    Raises ValueError for the state of another optimiser, or of other parameters.
    """
    groups = optimizer.state_dict()["param_groups"]
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    if not isinstance(state, dict):
        raise ValueError(f"the optimiser's state is {shown(state)}; expected an object")
    for number, kept in state.items():
        if type(number) is not int or not 0 <= number < len(parameters):
            raise ValueError(f"the optimiser has state for {shown(number)}, but only {len(parameters)} parameters")
        if not isinstance(kept, dict) or kept.keys() not in ({}.keys(), _state_names(optimizer)):
            found = shown(sorted(map(str, kept))) if isinstance(kept, dict) else shown(kept)
            raise ValueError(f"the optimiser's state is {found}; expected {sorted(_state_names(optimizer))}")
        for name, value in kept.items():
            shape = () if name == "step" else parameters[number].shape
            if not isinstance(value, Tensor) or value.shape != shape or value.dtype != torch.float32 or value.is_meta:
                expected = "x".join(map(str, shape)) or "a number"
                raise ValueError(f"the optimiser's `{name}` of parameter {number} is not float32 {expected}")
            if name == "step" and not 0 <= float(value) < 2**53:
                raise ValueError(f"the optimiser's `step` is {float(value):g}; expected a count")
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _state_names(optimizer: Optimizer) -> set[str]:
    """Return what torch's optimisers remember of each parameter."""
    if isinstance(optimizer, torch.optim.AdamW):
        return {"step", "exp_avg", "exp_avg_sq"}
    momentum = {"momentum_buffer"} if optimizer.defaults["momentum"] else set()
    return momentum | ({"step", "square_avg"} if isinstance(optimizer, torch.optim.RMSprop) else set())
