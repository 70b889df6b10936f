"""`archspec train`: weights for a spec."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from archspec.commands.findings import describe, show, status
from archspec.commands.flags import change_flags
from archspec.commands.packages import need
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.recipe import AMP, OPTIMIZERS, SCHEDULES

STOPPED = 130
EPILOG = """\b
Examples:
  archspec train lenet5                               on the bundled digits
  archspec train resnet18 --input 64x64x3 --data photos/ --epochs 20
  archspec train resnet50 --data photos/ --dry-run    what it would do, and in how much memory
  archspec train lenet5 --optimizer adamw --lr 1e-3 --schedule cosine
  archspec train --resume runs/lenet5-1               go on with a run that was interrupted
  archspec train --from runs/lenet5-1/weights.safetensors --data photos/ --linear-probe
  torchrun --nproc-per-node 2 -m archspec train lenet5
  torchrun --nproc-per-node 4 -m archspec train vgg16 --data photos/ --pipeline 4
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-endpoint host:29500 -m archspec train lenet5

\b
--data takes a folder with one folder of images a class, in `train` and `val` (or
`validation`); or the classes' folders alone: then a tenth is held out. Without --data it
trains on the 1,797 handwritten digits that come with scikit-learn.

\b
The recipe is that of the spec's `train` section, or else archspec's own; flags override it.
A rate belongs to a batch, and is scaled to the images of a step. Where neither --batch nor
--accumulate is given, a step has as many images as the rate is for, in as many parts as the
memory needs.

\b
Signals: SIGTERM and Ctrl-C write a checkpoint and stop, SIGUSR1 writes one and goes on.
Exit status: 0, or 1 where the spec or the data are wrong, or 2 where the command line is, or
130 where it was stopped: then a checkpoint is left (torchrun itself then ends with 1).
"""


class Finite(click.FloatRange):
    """A range that `nan` and `inf` are not in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no number to train with.", param, ctx)
        return found


POSITIVE = Finite(0, min_open=True)
SHARE = Finite(0, 1, max_open=True)
FOLDER = click.Path(path_type=Path)
# flags that a run which goes on may have
ON_RESUME = {"resume", "data", "device", "workers", "keep", "save_every", "peak_tflops", "as_json"}


@click.command("train", epilog=EPILOG)
@click.argument("spec", required=False)
@click.option("--data", type=FOLDER, metavar="DIR", help="A folder of images.")
@click.option("--out", type=FOLDER, metavar="DIR", help="Default: runs/<network>-<n>.")
@click.option("--resume", type=FOLDER, metavar="DIR", help="Go on with the run in this folder.")
@click.option("--from", "start", type=FOLDER, metavar="WEIGHTS", help="Begin from weights, and fine-tune them.")
@click.option("--linear-probe", is_flag=True, help="With --from: train the last layer alone.")
@click.option("--scratch-rate", is_flag=True, help="With --from: at the whole rate, not a tenth of it.")
@click.option("--dry-run", is_flag=True, help="Print the resolved recipe, and train nothing.")
@click.option("--epochs", type=click.IntRange(1), help="30, or the recipe's; warm-up and steps keep their shares.")
@click.option("--batch", type=click.IntRange(1), help="Images that a process takes at a time.")
@click.option("--accumulate", type=click.IntRange(1), help="Batches of one step.")
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="sgd.")
@click.option("--lr", type=POSITIVE, help="0.02, for a batch of 32 or the recipe's; scaled with the batch.")
@click.option("--momentum", type=SHARE, help="0.9; AdamW's beta 1.")
@click.option("--weight-decay", type=Finite(0), help="5e-4; of weights only.")
@click.option("--schedule", type=click.Choice(SCHEDULES), help="cosine.")
@click.option("--warmup", type=Finite(0), metavar="EPOCHS", help="1.")
@click.option("--label-smoothing", type=SHARE, help="0.")
@click.option("--clip", type=Finite(0), metavar="NORM", help="Clip the gradients to a norm; 0 for not.")
@click.option("--ema", type=SHARE, metavar="DECAY", help="Average the weights, with this decay; 0 for not.")
@click.option("--flip/--no-flip", default=None, help="Mirror half of the images; on with --data.")
@click.option("--crop", type=Finite(1, 10), metavar="TIMES", help="Crop from larger images: 1.125.")
@click.option("--area", type=SHARE, metavar="SHARE", help="Resized crop of at least this share of the image.")
@click.option("--scale", type=Finite(1, 10), nargs=2, metavar="LOW HIGH", help="Short side, in input sides.")
@click.option("--color", type=Finite(0, 1), help="Vary light and colour by so much.")
@click.option("--cutout", type=SHARE, metavar="SIDE", help="Blank a square, in sides of the input.")
@click.option("--mixup", type=Finite(0, 100), metavar="ALPHA", help="Mix two images.")
@click.option("--cutmix", type=Finite(0, 100), metavar="ALPHA", help="Put a part of one into another.")
@click.option("--amp", type=click.Choice(AMP), help="Mixed precision: off.")
@click.option("--channels-last/--no-channels-last", default=None, help="Memory layout; on with CUDA.")
@click.option("--compile/--no-compile", "compile_", default=None, help="Compile the network with torch.compile.")
@click.option("--seed", type=click.IntRange(0, 2**31), help="0.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(0, 256), help="Processes that decode images; 2 with --data.")
@click.option("--pipeline", type=click.IntRange(2), metavar="N", help="Cut the network over N processes of torchrun.")
@click.option("--save-every", type=click.IntRange(0), default=0, metavar="STEPS", help="Also within an epoch.")
@click.option("--keep", type=click.IntRange(1), default=3, show_default=True, help="Checkpoints to keep.")
@click.option("--peak-tflops", type=POSITIVE, help="What a GPU could do, for the MFU of one not known here.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
@change_flags
@click.pass_context
def command(
    context: click.Context,
    /,
    spec: str | None,
    resume: Path | None,
    start: Path | None,
    dry_run: bool,
    linear_probe: bool,
    scratch_rate: bool,
    as_json: bool,
    changes: dict[str, Any],
    compile_: bool | None,
    data: Path | None,
    out: Path | None,
    device: str,
    workers: int | None,
    save_every: int,
    keep: int,
    peak_tflops: float | None,
    pipeline: int | None,
    **recipe: Any,
) -> None:
    """Train SPEC on a folder of images, or on bundled handwritten digits.

    The folder that it writes holds weights.safetensors, which knows its spec, classes and preprocessing, the best
    weights on the held-out images, the metrics of every epoch, checkpoints and a summary.
    """
    _need_sense(context, spec, resume, start, linear_probe or scratch_rate)
    flags = {name: value for name, value in {**recipe, "compile": compile_}.items() if value is not None}
    if start is not None and (linear_probe or not scratch_rate):
        flags["mode"] = "linear-probe" if linear_probe else "fine-tune"
    is_first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes: one of them prints
    options = {
        "data": data,
        "out": out,
        "weights": start,
        "device": device,
        "quiet": as_json,
        "workers": workers,
        "save_every": save_every,
        "keep": keep,
        "peak_tflops": peak_tflops,
        "pipeline": pipeline or 0,
    }
    try:
        need("torch", "numpy", "safetensors", "PIL", *(() if data else ("sklearn",)))
        found = _work(spec, resume, changes, flags, options, dry_run)
    except ArchspecError as error:
        if as_json and is_first:
            click.echo(json.dumps(describe(spec or str(resume or start), error.diagnostics), indent=2))
        if is_first:
            show(error.diagnostics)
        else:
            for one in error.diagnostics:
                click.echo(f"process {os.environ['RANK']}: error[{one.code}]: {one.message}", err=True)
        sys.exit(status(error.diagnostics) or 1)
    if not is_first:
        sys.exit(STOPPED if found.get("stopped") else 0)
    if dry_run:
        lines = found.pop("lines")
        found.pop("stages_table", None)
        click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines))
    elif as_json:
        click.echo(json.dumps(found, indent=2))
    sys.exit(STOPPED if found.get("stopped") else 0)


def _need_sense(context: click.Context, spec: str | None, resume: Path | None, start: Path | None, tunes: bool) -> None:
    """Raise UsageError for flags that do not go together."""
    if spec is None and resume is None and start is None:
        raise click.UsageError("give a SPEC, or --resume DIR, or --from WEIGHTS")
    scale = context.params.get("scale")
    if scale and scale[0] > scale[1]:
        raise click.UsageError(f"--scale goes from low to high: --scale {scale[1]:g} {scale[0]:g}")
    if tunes and start is None:
        raise click.UsageError("--linear-probe and --scratch-rate need --from WEIGHTS")
    if resume is None:
        return
    given = [name for name in context.params if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    for parameter in context.command.params:
        if parameter.name in given and parameter.name not in ON_RESUME:
            shown = max(parameter.opts, key=len) if isinstance(parameter, click.Option) else "SPEC"
            raise click.UsageError(f"--resume goes on with the run as it is: leave {shown} out")


def _work(
    spec: str | None,
    resume: Path | None,
    changes: dict[str, Any],
    flags: dict[str, Any],
    options: dict[str, Any],
    dry_run: bool,
) -> dict[str, Any]:
    from archspec.compiler.device import chosen
    from archspec.compiler.training import run
    from archspec.compiler.training.setup.choose import Options

    is_cuda = chosen(options["device"]).type == "cuda"
    if flags.get("amp") == "fp16" and not is_cuda:
        helps = ("`--amp bf16` works on the CPU, and needs no scaling of the loss",)
        raise failure("E455", "`--amp fp16` needs CUDA", helps=helps)
    if resume is not None:
        return run.resume(resume, Options(**options))
    work = run.dry_run if dry_run else run.start
    return work(spec, changes, {"channels_last": is_cuda, **flags}, Options(**options))
