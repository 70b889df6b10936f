"""What a run requires before it begins: each function raises ArchspecError if one thing is missing.

In: the network, the recipe, the processes. Out: nothing, or one clear error before hours are spent.
"""

from __future__ import annotations

import math
from pathlib import Path

from archspec.analyses.pixel_stride import pixel_strides
from archspec.api import Network
from archspec.compiler.data.maps.pair_folder import is_of_pairs
from archspec.compiler.data.preprocessing import COLOURS
from archspec.compiler.lowering.one_image import need_one_image
from archspec.compiler.memory import less, memory_of, need_memory, size_text
from archspec.compiler.training.parallel.processes import Group
from archspec.diagnostics.errors import failure
from archspec.graph.volume import FLOAT_BYTES
from archspec.layers.norm import BatchNorm
from archspec.recipe import Recipe

STATES = 3  # of a weight: itself, its gradient, its momentum


def trainable(network: Network, group: Group) -> None:
    """Require class scores of images or of their pixels, and weights to train."""
    if not network.params:
        helps = ("add a layer with weights, such as `FC 10`",)
        raise failure("E454", f"{network.title} has no weights to train", helps=helps)
    need_one_image(network.title, network.graph, "`archspec train`")
    takes_images = network.input.is_map and network.input.channels in COLOURS
    if takes_images and network.output.is_map and math.prod(network.output.spatial) > 1:
        _pixel_classifier(network, group)
    elif not takes_images or len(network.output) != 1:
        message = f"{network.title} is not an image classifier: it maps {network.input} to {network.output}"
        helps = (
            "training requires a map of 1 or 3 channels as input, and a vector or a map of class scores as output",
        )
        raise failure("E454", message, helps=helps)
    _losses(network)


def _losses(network: Network) -> None:
    """Require losses, which compare results of the first output's form with the same classes."""
    if not network.losses:
        message = f"{network.title} has {len(network.outputs)} outputs, and its recipe does not say which have losses"
        line = ", ".join(f"{name} 1" for name, volume in network.outputs if volume == network.output)
        helps = [f"name them in the `train` section, with weights: `loss {line}`"]
        scores = next((name for name, volume in network.outputs if len(volume) == 1), None)
        if scores and network.output.is_map:
            first = network.outputs[0][0]
            text = f"write `{first}: ...` instead of `output {first}: ...`, and end with `output {first}: @{first}`"
            helps.append(f"to train for the classes of `{scores}`, make it the first output: {text}")
        raise failure("E454", message, helps=tuple(helps))
    for loss in network.losses:
        if (volume := network.graph.nodes[loss.node].volume) != network.output:
            message = f"the loss of `{loss.name}` is of {volume}, but the first output is {network.output}"
            raise failure("E454", message, helps=("all losses are of scores for the same classes",))


def one_classifier(network: Network, recipe: Recipe) -> None:
    """Require the loss of the first output alone for a linear probe, whose other layers work as in inference."""
    named = network.graph.named_losses
    if recipe.mode == "linear-probe" and named and [loss.node for loss in named] != [network.graph.output]:
        names = " and ".join(f"`{loss.name}`" for loss in named)
        message = f"`--linear-probe` trains the classifier of the first output, but the losses are of {names}"
        raise failure("E011", message, helps=("leave out `--linear-probe`",))


def _pixel_classifier(network: Network, group: Group) -> None:
    """Require scores for pixels of the input: all, or the central ones."""
    is_coarse = any(side != 1 for side in pixel_strides(network.graph))
    sizes = tuple(zip(network.input.spatial, network.output.spatial, strict=True))
    if is_coarse or any(own > given for given, own in sizes):
        message = f"{network.title} maps {network.input} to {network.output}: it has no class scores for each pixel"
        helps = ("end with a map as large as the input: `UPSAMPLE 2 bilinear` doubles one",)
        raise failure("E454", message, helps=helps)
    if group.is_pipeline:
        message = "`--pipeline` does not work with a network whose output is a map of classes"
        raise failure("E472", message, helps=("leave out `--pipeline`: `--processes` divides the images",))


def masks(network: Network, root: Path | None) -> Path:
    """Return the folder of images and masks, and require one."""
    if root is None:
        message = f"{network.title} outputs {network.output}, a map of classes: it learns from images with masks"
        helps = ("`--data DIR`, with `images` and `masks` in DIR; the bundled digits have no masks",)
        raise failure("E454", message, helps=helps)
    return root


def classes(network: Network, root: Path) -> None:
    """Require a folder of classes, not of images and masks, which would be taken for two classes."""
    if is_of_pairs(root):
        message = f"`{root}` has images and masks, but {network.title} outputs one class per image"
        helps = ("a network whose output is a map of classes, such as `unet`, learns from masks",)
        raise failure("E450", message, helps=helps)


def same_pixels(network: Network, recipe: Recipe) -> None:
    """Require a recipe whose variations change images and masks alike, if the network's output is a map."""
    if not network.output.is_map:
        return
    for name in ("mixup", "cutmix", "cutout", "erasing", "randaugment"):
        if getattr(recipe, name):
            message = f"`--{name}` changes images, but not their masks"
            helps = (f"`--{name} 0`; crops, flips and `--color` work with masks",)
            raise failure("E011", message, helps=helps)
    if recipe.sampling == "balanced":
        message = "`--sampling balanced` requires one class per image, but each mask has several"
        raise failure("E011", message, helps=("`--class-weights balanced` weights the classes of pixels",))


def memory(network: Network, group: Group, checkpoint: bool = False) -> None:
    """Require enough memory for a step of one image in each process of a machine, with activation checkpointing or
    without."""
    copies = 1 if group.is_pipeline else group.sharing_memory
    needs = copies * (network.checkpointed_bytes() if checkpoint else network.training_bytes())
    helps: tuple[str, ...] = (
        "`archspec check` shows the largest layers",
        less(STATES * FLOAT_BYTES * network.params * copies, group.device),
    )
    has = memory_of(group.device)
    if not checkpoint and needs > has >= (fewer := copies * network.checkpointed_bytes()):
        helps = (f"`--checkpoint` takes {size_text(fewer)}", *helps)
    what = "a step of one image" + (f" in each of {copies} processes" if copies > 1 else "")
    need_memory(needs, what, group.device, helps)


def warmup(recipe: Recipe) -> None:
    """Require epochs after the warm-up."""
    if recipe.warmup >= recipe.epochs:
        message = f"the warm-up takes {recipe.warmup:g} epochs, but the run has only {recipe.epochs}"
        raise failure("E011", message, helps=("use a shorter `--warmup`, or more `--epochs`",))


def statistics(network: Network, recipe: Recipe) -> None:
    """Require more than one value per channel in each batch normalisation."""
    nodes = (node for node in network.graph.nodes if isinstance(node.layer, BatchNorm))
    alone = next((node.name for node in nodes if math.prod(node.volume.spatial) == 1), None)
    if recipe.batch == 1 and alone is not None:
        message = f"{alone} has a single value per channel in a batch of 1: it has no variance"
        helps = (
            "`--batch 2`",
            *(("half of `--accumulate` keeps the images of a step",) if recipe.accumulate > 1 else ()),
        )
        raise failure("E475", message, helps=helps)


def processes(stages: int, group: Group) -> None:
    """Require one process for each stage of a pipeline."""
    if stages and stages != group.size:
        number = "is only 1" if group.size == 1 else f"are {group.size}"
        message = f"`--pipeline {stages}` requires {stages} processes, one per stage, but there {number}"
        helps = (f"`archspec train --processes {stages} ...`", "`--dry-run` shows the stages alone")
        raise failure("E471", message, helps=helps)


def pipeline(recipe: Recipe, group: Group) -> None:
    """Require a recipe that a pipeline supports, if there is one."""
    unsupported = {
        "`--checkpoint`": recipe.checkpoint,
        "`--amp fp16`": recipe.amp == "fp16",
        "`--compile`": recipe.compile,
        "`--linear-probe`": recipe.mode == "linear-probe",
        "`--freeze`": bool(recipe.freeze),
    }
    for name, is_on in unsupported.items():
        if is_on and group.is_pipeline:
            helps = ("leave out `--pipeline`", *(("use `--amp bf16`",) if recipe.amp == "fp16" else ()))
            raise failure("E472", f"{name} does not work with `--pipeline`", helps=helps)


def synchronised(recipe: Recipe, group: Group) -> None:
    """Require what batch statistics over all processes need, if the recipe asks for them."""
    if not recipe.sync_bn:
        return
    if group.is_pipeline:
        message = "`--sync-bn` does not work with `--pipeline`"
        raise failure("E472", message, helps=("leave out `--sync-bn`: each layer is in one process",))
    if group.device.type != "cuda":
        message = "`--sync-bn` requires CUDA: torch's SyncBatchNorm does not run on the CPU"
        raise failure("E455", message, helps=("leave out `--sync-bn`, or use a larger `--batch`",))
