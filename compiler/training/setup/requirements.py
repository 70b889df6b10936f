"""What a run needs before it begins: each function raises ArchspecError where one thing is missing.

In: the network, the recipe, the processes. Out: nothing, or one clear error before hours are spent.
"""

from __future__ import annotations

import math
import os

import torch

from archspec.api import Network
from archspec.compiler.training.parallel.processes import Group
from archspec.diagnostics.errors import failure
from archspec.layers.norm import BatchNorm
from archspec.recipe import Recipe

GIB = 2**30


def classifier(network: Network) -> None:
    """Class scores of images, and weights to train."""
    if not network.params:
        helps = ("a layer with weights: `FC 10`",)
        raise failure("E454", f"{network.title} has no weights: there is nothing to train", helps=helps)
    if len(network.output) != 1 or not network.input.is_map or network.input.channels not in (1, 3):
        message = f"{network.title} takes {network.input} and makes {network.output}: it classifies no images"
        helps = ("training needs a map of 1 or 3 colours in, and a vector of class scores out",)
        raise failure("E454", message, helps=helps)


def memory(network: Network, device: torch.device) -> None:
    """Room for a step of one image."""
    needs, has = network.training_bytes(1), memory_of(device)
    if needs > has:
        message = f"a step of one image takes {needs / GIB:,.0f} GiB, and {device.type} has {has / GIB:,.0f} GiB"
        helps = ("`archspec check` shows which layers are that large", "a smaller `--input`, or a machine with more")
        raise failure("E474", message, helps=helps)


def memory_of(device: torch.device) -> int:
    """Bytes of the GPU, or of the machine."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if not hasattr(os, "sysconf"):  # Windows, which does not say
        return 2**63
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def shorter_warmup(recipe: Recipe) -> None:
    """Epochs behind the warm-up."""
    if recipe.warmup >= recipe.epochs:
        message = f"a warm-up of {recipe.warmup:g} epochs takes all of the {recipe.epochs} epochs"
        raise failure("E011", message, helps=("a shorter `--warmup`, or more `--epochs`",))


def statistics(network: Network, recipe: Recipe) -> None:
    """More than one value of each channel in a batch normalisation."""
    alone = next(
        (
            node
            for node in network.graph.nodes
            if isinstance(node.layer, BatchNorm) and math.prod(node.volume.spatial) == 1
        ),
        None,
    )
    if recipe.batch == 1 and alone is not None:
        message = f"{alone.name} has one value of each channel in a batch of 1: no statistics"
        raise failure("E453", message, helps=("`--batch 2`, and half of `--accumulate`",))


def processes(stages: int, group: Group) -> None:
    """A process for each stage of a pipeline, if there is to be one."""
    if stages and stages != group.size:
        message = f"`--pipeline {stages}` needs {stages} processes, a stage in each, and there is {group.size}"
        helps = (f"`torchrun --nproc-per-node {stages} -m archspec train ...`", "`--dry-run` shows the cut alone")
        raise failure("E471", message, helps=helps)


def pipeline(recipe: Recipe, group: Group) -> None:
    """A recipe that a pipeline can do, if there is one."""
    wrong = {
        "`--amp fp16`": recipe.amp == "fp16",
        "`--compile`": recipe.compile,
        "a linear probe": recipe.mode == "linear-probe",
    }
    for name, is_wrong in wrong.items():
        if is_wrong and group.is_pipeline:
            helps = ("without `--pipeline` it works", *(("`--amp bf16`",) if recipe.amp == "fp16" else ()))
            raise failure("E472", f"{name} does not work in a pipeline", helps=helps)
