"""Memory: how much a device has, and how much a run is predicted to take.

In: a device, a network, a recipe. Out: bytes, and their text.
"""

from __future__ import annotations

import os

import torch

from archspec.api import Network
from archspec.graph.volume import FLOAT_BYTES
from archspec.recipe import Recipe

MIB, GIB = 2**20, 2**30
STATES = {"sgd": 1, "adamw": 2, "rmsprop": 2}  # values that an optimiser keeps for each weight


def memory_of(device: torch.device) -> int:
    """Return the bytes of the GPU, or of the machine."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if not hasattr(os, "sysconf"):  # Windows, where it is unknown
        return 2**63
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def predicted_memory(network: Network, recipe: Recipe) -> int:
    """Return the predicted peak of a process in float32. The analysis counts SGD with momentum, one value a weight."""
    without_momentum = recipe.optimizer == "sgd" and not recipe.momentum
    more = STATES[recipe.optimizer] - 1 - without_momentum + bool(recipe.ema)
    return network.training_bytes(recipe.batch) + FLOAT_BYTES * network.params * more


def size_text(size: int) -> str:
    """Return bytes as `10.51 GiB` or `3.2 MiB`."""
    return f"{size / GIB:.2f} GiB" if size >= GIB else f"{size / MIB:.3g} MiB"
