"""The flags of `archspec train`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from archspec.recipe import AMP, LEAST_EVAL_CROP, MOST_PAD, MOST_RANDAUGMENT, OPTIMIZERS, SAMPLINGS, SCHEDULES, Recipe

DEFAULT = Recipe()


class Finite(click.FloatRange):
    """A range of finite numbers: `nan` and `inf` are not in it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return found


COUNT = click.IntRange(1)
POSITIVE = Finite(0, min_open=True)
SHARE = Finite(0, 1, max_open=True)
CENTRE = Finite(LEAST_EVAL_CROP, 1)
FOLDER = click.Path(path_type=Path)
FLAGS = (
    click.option("--data", type=FOLDER, metavar="DIR", help="Folder of images; the bundled digits by default."),
    click.option("--out", type=FOLDER, metavar="DIR", help="Folder to write; runs/<network>-<n> by default."),
    click.option("--resume", type=FOLDER, metavar="DIR", help="Continue the unfinished run in this folder."),
    click.option("--dry-run", is_flag=True, help="Print the resolved recipe without training."),
    click.option(
        "--profile", is_flag=True, help="Take a few steps, print the most expensive lines of the spec, and stop."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON."),
    click.option(
        "--recipe",
        type=click.Choice(["auto", "paper"]),
        help="`auto` is chosen for the images and the network; `paper` is the spec's `train` section, the default for a"
        " file of yours that has one.",
    ),
    click.option(
        "--epochs",
        type=COUNT,
        metavar="N",
        help="Passes over the images. Warm-up, milestones and patience scale with it.",
    ),
    click.option("--batch", type=COUNT, metavar="N", help="Images per batch and process."),
    click.option("--accumulate", type=COUNT, metavar="N", help="Batches per step, whose gradients are accumulated."),
    click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="Optimiser, with its own rate and decay."),
    click.option("--lr", type=POSITIVE, metavar="RATE", help="Learning rate at its peak, whatever the batch."),
    click.option(
        "--lr-for-batch",
        "reference_batch",
        type=COUNT,
        metavar="N",
        help="Images per step that --lr is for: it is scaled in proportion to those of the run.",
    ),
    click.option("--momentum", type=SHARE, metavar="SHARE", help="Momentum, or AdamW's beta 1."),
    click.option("--weight-decay", type=Finite(0), metavar="DECAY", help="Decay of weights, not of biases and norms."),
    click.option("--schedule", type=click.Choice(SCHEDULES), help="Learning rate after the warm-up."),
    click.option("--warmup", type=Finite(0), metavar="EPOCHS", help="Linear warm-up."),
    click.option("--label-smoothing", type=SHARE, metavar="SHARE", help="Label smoothing; 0 for none."),
    click.option("--clip", type=Finite(0), metavar="NORM", help="Clip the gradient norm; 0 for no limit."),
    click.option("--ema", type=SHARE, metavar="DECAY", help="Average the weights with this decay; 0 for none."),
    click.option(
        "--sampling",
        type=click.Choice(SAMPLINGS),
        help="`balanced` draws every class equally often; shuffled by default.",
    ),
    click.option(
        "--class-weights",
        metavar="WEIGHTS",
        help="Weight classes in the loss: `balanced`, or such as hat=3,shirt=0.5.",
    ),
    click.option("--seed", type=click.IntRange(0, 2**31), metavar="N", help=f"Random seed; {DEFAULT.seed} by default."),
    click.option("--flip/--no-flip", default=None, help="Horizontal flips."),
    click.option(
        "--crop",
        type=Finite(1, 10),
        metavar="FACTOR",
        help="Crop from images whose short side is FACTOR times the input's; 1 for none.",
    ),
    click.option("--area", type=SHARE, metavar="SHARE", help="Resized crops of at least this share of the image."),
    click.option(
        "--scale",
        type=Finite(1, 10),
        nargs=2,
        metavar="LOW HIGH",
        help="Crop from images whose short side is LOW to HIGH times the input's.",
    ),
    click.option(
        "--pad",
        type=click.IntRange(0, MOST_PAD),
        metavar="PIXELS",
        help="Crop from images with this many black pixels of the input around them.",
    ),
    click.option("--color", type=Finite(0, 1), metavar="SHARE", help="Jitter of brightness, contrast and saturation."),
    click.option("--cutout", type=SHARE, metavar="SHARE", help="Blank a square with this share of the input's side."),
    click.option(
        "--randaugment",
        type=Finite(0, MOST_RANDAUGMENT),
        metavar="MAGNITUDE",
        help="Apply two random operations; 9 is common.",
    ),
    click.option("--erasing", type=SHARE, metavar="SHARE", help="Replace a part of this share of images by noise."),
    click.option("--mixup", type=Finite(0, 100), metavar="ALPHA", help="Blend pairs of images."),
    click.option("--cutmix", type=Finite(0, 100), metavar="ALPHA", help="Paste part of one image into another."),
    click.option(
        "--eval-crop",
        type=CENTRE,
        metavar="SHARE",
        help="Evaluate on a centre crop of this share of the short side, as in 0.875 (224 of 256); 1 by default.",
    ),
    click.option(
        "--from", "start", type=FOLDER, metavar="WEIGHTS", help="Start from these weights and fine-tune them."
    ),
    click.option("--scratch-rate", is_flag=True, help="With --from: use the full learning rate, not a tenth of it."),
    click.option("--linear-probe", is_flag=True, help="With --from: train only the last layer."),
    click.option(
        "--freeze",
        multiple=True,
        metavar="PATTERN",
        help="Do not train these layers or blocks, such as 'stage[12]'; may be repeated.",
    ),
    click.option(
        "--head-lr",
        type=POSITIVE,
        metavar="RATE",
        help="Peak learning rate of the classifier.",
    ),
    click.option(
        "--layer-decay",
        type=Finite(0, 1, min_open=True),
        metavar="FACTOR",
        help="Multiply the learning rate by this at each depth below the classifier; 1 by default.",
    ),
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where to train; auto uses CUDA if available.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(0, 256),
        metavar="N",
        help="Processes that decode images; 2 by default with --data.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Threads of each process on the CPU; OMP_NUM_THREADS or chosen by the network's work by default.",
    ),
    click.option(
        "--processes",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Train with N processes on this machine, on a GPU each if there are any.",
    ),
    click.option("--pipeline", type=click.IntRange(2), metavar="N", help="Split the network over N processes."),
    click.option(
        "--sync-bn/--no-sync-bn",
        default=None,
        help="Batch statistics over all processes: torch's SyncBatchNorm, which requires CUDA.",
    ),
    click.option("--amp", type=click.Choice(AMP), help=f"Mixed precision; {DEFAULT.amp} by default."),
    click.option("--channels-last/--no-channels-last", default=None, help="Memory layout; on by default with CUDA."),
    click.option("--compile/--no-compile", default=None, help="Compile the network with torch.compile."),
    click.option(
        "--checkpoint/--no-checkpoint",
        default=None,
        help="Keep few activations and recompute the rest in the backward pass: less memory, a third more work.",
    ),
    click.option(
        "--save-every",
        type=click.IntRange(0),
        default=0,
        metavar="STEPS",
        help="Also write a checkpoint every STEPS steps.",
    ),
    click.option(
        "--keep", type=COUNT, default=3, show_default=True, metavar="N", help="Number of checkpoints to keep."
    ),
    click.option(
        "--peak-tflops",
        type=POSITIVE,
        metavar="N",
        help="Peak TFLOP/s of the GPU, for the MFU, if it is not known here.",
    ),
)


def train_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Add the flags, in this order."""
    for flag in reversed(FLAGS):
        command = flag(command)
    return command
