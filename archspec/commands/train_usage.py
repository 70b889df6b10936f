"""What `archspec train --help` says below the flags, and which flags go together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

EPILOG = """\b
Examples:
  archspec train lenet5                                     on the bundled digits
  archspec train resnet18 --input 64x64x3 --data photos/
  archspec train resnet50 --data photos/ --dry-run          what it would do, and why
  archspec train resnet50 --data imagenet/ --recipe paper
  archspec train lenet5 --optimizer adamw --lr 1e-3 --schedule cosine
  archspec train resnet20 --data photos/ --pad 4 --randaugment 9 --erasing 0.25 --eval-crop 0.875
  archspec train --resume runs/lenet5-1                     continue an unfinished run
  archspec train --from runs/lenet5-1/weights.safetensors --data photos/ --linear-probe
  archspec train --from runs/resnet18-1 --data photos/ --freeze conv1 --freeze bn1 --freeze stage1
  archspec train --from runs/vit_b16-1 --data photos/ --layer-decay 0.75 --head-lr 1e-3
  archspec train unet --data shapes/                        images and masks of classes
  archspec train resnet50 --data photos/ --profile          where the time of a step goes
  archspec train resnet50 --data photos/ --checkpoint       larger batches in the same memory
  archspec train resnet50 --data photos/ --processes 2      gradients averaged over both
  archspec train vgg16 --data photos/ --processes 4 --pipeline 4
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint host:29500 \\
    -m archspec train resnet50 --data photos/               the same line on both machines

\b
Data: --data takes a folder with one folder of images per class, split into `train` and `val`
(or `validation`). Without that split, a tenth of the images is held out. Without --data, the
network is trained on the 1,797 handwritten digits that come with scikit-learn. `archspec data`
checks a folder; the same warnings come before the first step.

\b
Masks: a network whose output is a map of classes learns from a folder with `images` and `masks`,
in `train` and `val` or directly. Each image has a mask of its name and size, a PNG of one channel
with a value for each class, from 0; pixels of value 255 are ignored. `classes.txt` names the
classes, one a line. Where the output is smaller than the input, masks are cropped to its centre.

\b
Batch: if neither --batch nor --accumulate is given, a step is split into as many batches as the
memory requires.

\b
Fine-tuning: --from trains all layers at a tenth of the rate. For other classes the classifier is
reinitialised, and trained at the full rate, or at --head-lr. --freeze takes names as `archspec
check --all` prints them, with *, ? and [12]; the name of a block freezes the layers in it. Frozen
batch normalisations keep their statistics. With --layer-decay 0.75 each depth has 0.75 of the
rate of the next, up to the classifier; a block is one depth, and so is a layer outside blocks.

\b
Uneven classes: --sampling balanced shows all classes equally often in an epoch of as many images.
--class-weights balanced weights the loss by images / (classes x images of the class). The mean
weight over an epoch's images is 1; the held-out loss has no weights.

\b
Progress: on a terminal one line shows how far the run is; in a pipe or a log there is a line at
least every 30 seconds. report.html is written after each epoch, and says whether the run is in
progress, stopped, failed or finished. With TensorBoard installed: tensorboard --logdir runs

\b
Signals: SIGTERM and Ctrl-C write a checkpoint and stop; SIGUSR1 writes one and continues.

\b
Processes: --processes starts them on this machine, torchrun on several. If one is killed, or has
not answered for 60 seconds, the others end too. ARCHSPEC_TIMEOUT changes these seconds, and the
300 within which all must have started.

\b
Exit status: 0 on success, 1 for an invalid spec or invalid data, 2 for invalid usage, 130 if
the run was stopped and can be resumed. torchrun exits with 1 instead of 130.
"""

# flags that may be given with --resume
ON_RESUME = {"resume", "data", "device", "workers", "keep", "save_every", "peak_tflops", "processes", "as_json"}


def check_usage(context: click.Context, spec: str | None, resume: Path | None, start: Path | None) -> None:
    """Raise UsageError for flags that do not go together."""
    flags = context.params
    if spec is None and resume is None and start is None:
        raise click.UsageError("missing SPEC, --resume DIR or --from WEIGHTS")
    scale = flags.get("scale")
    if scale and scale[0] > scale[1]:
        raise click.UsageError(f"--scale takes the lower number first: --scale {scale[1]:g} {scale[0]:g}")
    _check_photos(flags, resume)
    _check_profile(flags)
    if flags["pipeline"] and flags["processes"] not in (None, flags["pipeline"]):
        number = flags["pipeline"]
        raise click.UsageError(f"--pipeline {number} takes as many processes: --processes {number}")
    if (flags["linear_probe"] or flags["scratch_rate"]) and start is None:
        raise click.UsageError("--linear-probe and --scratch-rate require --from WEIGHTS")
    if flags["reference_batch"] and not flags["lr"]:
        raise click.UsageError("--lr-for-batch requires --lr RATE, which it scales")
    if flags["sampling"] == flags["class_weights"] == "balanced":
        raise click.UsageError("--sampling balanced and --class-weights balanced correct the same twice: leave out one")
    if flags["checkpoint"] and flags["compile"]:
        raise click.UsageError("--checkpoint does not work with --compile, which itself decides what to recompute")
    if resume is None:
        return
    given = [name for name in flags if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    for parameter in context.command.params:
        if parameter.name in given and parameter.name not in ON_RESUME:
            shown = max(parameter.opts, key=len) if isinstance(parameter, click.Option) else "SPEC"
            raise click.UsageError(f"--resume cannot change a run: leave out {shown}")


def _check_photos(flags: Mapping[str, Any], resume: Path | None) -> None:
    """Raise UsageError for flags that change photographs only."""
    for other in ("crop", "area", "scale"):
        if flags["pad"] and flags[other] is not None:
            raise click.UsageError(f"--pad and --{other} are two ways to crop: leave out one")
    if flags["data"] is not None or resume is not None:
        return
    if flags["eval_crop"] is not None:
        raise click.UsageError("--eval-crop requires --data: the bundled digits are not cropped")
    for name in ("pad", "randaugment"):
        if flags[name]:
            raise click.UsageError(f"--{name} requires --data: the bundled digits are only shifted")


def _check_profile(flags: Mapping[str, Any]) -> None:
    """Raise UsageError for flags that do not go with --profile."""
    unsupported = {
        "--dry-run": "which takes no step",
        "--compile": "whose kernels belong to several lines",
        "--pipeline": "whose stages run in several processes",
        "--processes": "whose times would be mixed",
    }
    for name, reason in unsupported.items():
        if flags["profile"] and flags.get(name.strip("-").replace("-", "_")):
            raise click.UsageError(f"--profile cannot be used with {name}, {reason}")
    if flags["profile"] and os.environ.get("WORLD_SIZE", "1") != "1":
        raise click.UsageError("--profile takes a single process: start it without torchrun")


def processes_to_start(wanted: int | None) -> int:
    """Return how many processes to start; 1 in a process that was started. Raises UsageError."""
    there = os.environ.get("WORLD_SIZE") or "1"
    if wanted is None or there == str(wanted):
        return 1
    if there != "1":
        raise click.UsageError(f"--processes {wanted} starts processes, but {there} were started: leave it out")
    return wanted
