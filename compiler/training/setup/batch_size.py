"""The batch size of a run if the command line gives none.

In: a network, its recipe, the number of images, the group of processes. Out: a recipe whose batch fits the memory.
"""

from __future__ import annotations

from archspec.api import Network
from archspec.compiler.memory import memory_of
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup.memory import predicted_memory
from archspec.recipe import Recipe

LEAST_BATCH = 2  # a single image has no batch statistics
LEAST_STEPS = 10  # per epoch, but where a step would have fewer images than
LEAST_STEP = 8  # whose batch statistics are still of use
SHARE_OF_MEMORY = 0.8


def with_batch(network: Network, recipe: Recipe, wanted: int, images: int, group: Group) -> Recipe:
    """Return the recipe with `wanted` images a step, or fewer if there are few images.

    A step is split into as many batches as the predicted memory of a process requires; but for batch normalisation the
    split changes nothing in what is learned.
    """
    step = max(1, min(images, max(LEAST_STEP, min(wanted, images // LEAST_STEPS))))
    memory = SHARE_OF_MEMORY * memory_of(group.device) / group.sharing_memory
    if group.is_pipeline:
        return _with_parts(network, recipe, step, group, memory)
    batch, accumulate = max(LEAST_BATCH, step // group.replicas), 1
    while batch > LEAST_BATCH and predicted_memory(network, recipe.changed({"batch": batch})) > memory:
        accumulate *= 2
        batch = max(LEAST_BATCH, step // group.replicas // accumulate)
    return recipe.changed({"batch": batch, "accumulate": accumulate})


def _with_parts(network: Network, recipe: Recipe, step: int, group: Group, memory: float) -> Recipe:
    """Return the recipe with twice as many parts of a step as stages, so that most of the time all of them work, or
    more if `memory`, that of a process, requires it.

    A stage is about an equal share of the network, and keeps the values of at most as many parts as there are stages.
    """
    accumulate = min(2 * group.size, step)
    batch = step // accumulate
    while batch > 1:
        kept = recipe.changed({"batch": batch * min(group.size, accumulate)})
        if predicted_memory(network, kept) / group.size <= memory:
            break
        accumulate *= 2
        batch = max(1, step // accumulate)
    return recipe.changed({"batch": batch, "accumulate": accumulate})
