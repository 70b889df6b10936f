"""How much memory a run is predicted to take.

In: a network, a recipe. Out: bytes.
"""

from __future__ import annotations

from archspec.api import Network
from archspec.graph.volume import FLOAT_BYTES
from archspec.recipe import Recipe

STATES = {"sgd": 1, "adamw": 2, "rmsprop": 2}  # values that an optimiser keeps for each weight


def predicted_memory(network: Network, recipe: Recipe) -> int:
    """Return the predicted peak of a process in float32. The analysis counts SGD with momentum, one value a weight."""
    without_momentum = recipe.optimizer == "sgd" and not recipe.momentum
    more = STATES[recipe.optimizer] - 1 - without_momentum + bool(recipe.ema)
    step = network.checkpointed_bytes if recipe.checkpoint else network.training_bytes
    return step(recipe.batch) + FLOAT_BYTES * network.params * more
