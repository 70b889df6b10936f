"""`archspec train`: weights for a spec."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from archspec.commands.findings import describe, show, status
from archspec.commands.flags import change_flags
from archspec.commands.packages import DIGITS, need
from archspec.commands.train_flags import train_flags
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import printable
from archspec.library import need_kind
from archspec.recipe import Recipe

if TYPE_CHECKING:
    from archspec.compiler.training.setup.options import Options

STOPPED = 130
EPILOG = """\b
Examples:
  archspec train lenet5                               on the bundled digits
  archspec train resnet18 --input 64x64x3 --data photos/ --epochs 20
  archspec train resnet50 --data photos/ --dry-run    what it would do, in how much memory
  archspec train resnet50 --data photos/ --checkpoint larger batches in the same memory
  archspec train lenet5 --optimizer adamw --lr 1e-3 --schedule cosine
  archspec train --resume runs/lenet5-1               continue an unfinished run
  archspec train --from runs/lenet5-1/weights.safetensors --data photos/ --linear-probe
  torchrun --nproc-per-node 2 -m archspec train lenet5
  torchrun --nproc-per-node 4 -m archspec train vgg16 --data photos/ --pipeline 4
  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-endpoint host:29500 -m archspec train lenet5

\b
Data: --data takes a folder with one folder of images per class, split into `train` and `val`
(or `validation`). Without that split, a tenth of the images is held out. Without --data, the
network is trained on the 1,797 handwritten digits that come with scikit-learn.

\b
Recipe: the spec's `train` section, or else the defaults above; flags override both. A learning
rate belongs to a number of images per step and is scaled in proportion to it. If neither --batch
nor --accumulate is given, a step takes the number of images that the rate is for, in as many
batches as the memory requires.

\b
Signals: SIGTERM and Ctrl-C write a checkpoint and stop; SIGUSR1 writes one and continues.

\b
Processes: if one is killed, or has not answered for 60 seconds, the others end too.
ARCHSPEC_TIMEOUT changes these seconds, and the 300 within which all must have started.

\b
Exit status: 0 on success, 1 for an invalid spec or invalid data, 2 for invalid usage, 130 if
the run was stopped and can be resumed; torchrun itself then exits with 1.
"""


# flags that may be given with --resume
ON_RESUME = {"resume", "data", "device", "workers", "keep", "save_every", "peak_tflops", "as_json"}
# flags that do not change the result: fields of `Options`
OPTIONS = ("data", "out", "device", "workers", "save_every", "keep", "peak_tflops")


@click.command("train", epilog=EPILOG)
@click.argument("spec", required=False)
@train_flags
@change_flags
@click.pass_context
def command(
    context: click.Context,
    /,
    spec: str | None,
    resume: Path | None,
    start: Path | None,
    dry_run: bool,
    as_json: bool,
    changes: dict[str, Any],
    **flags: Any,
) -> None:
    """Train SPEC on a folder of images, or on bundled handwritten digits.

    Writes a folder with weights.safetensors, which includes its spec, classes and preprocessing; best.safetensors, the
    weights of the best epoch; the metrics of every epoch; checkpoints; a report and a summary.
    """
    _check_usage(context, spec, resume, start)
    if os.environ.get("WORLD_SIZE", "1") != "1":
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # its warnings repeat what our own message says
    is_first = (os.environ.get("RANK") or "0") == "0"  # of torchrun's processes: only the first prints
    try:
        need_kind((start,) if start else (), ".safetensors", "E401")
        need("train", *(() if flags["data"] else (DIGITS,)))
        options = _options(flags, start, as_json)
        if resume is None:
            recipe = _recipe(flags, start, options.device)
            text, found, is_stopped = _train(spec, changes, recipe, options, dry_run)
        else:
            text, found, is_stopped = _resume(resume, options)
    except ArchspecError as error:
        _report(error, spec or str(resume or start), as_json and is_first, is_first)
        sys.exit(status(error.diagnostics) or 1)
    if is_first and (as_json or text):
        click.echo(json.dumps(found, indent=2) if as_json else text)
    sys.exit(STOPPED if is_stopped else 0)


def _check_usage(context: click.Context, spec: str | None, resume: Path | None, start: Path | None) -> None:
    """Raise UsageError for flags that do not go together."""
    flags = context.params
    if spec is None and resume is None and start is None:
        raise click.UsageError("missing SPEC, --resume DIR or --from WEIGHTS")
    scale = flags.get("scale")
    if scale and scale[0] > scale[1]:
        raise click.UsageError(f"--scale takes the lower number first: --scale {scale[1]:g} {scale[0]:g}")
    if (flags["linear_probe"] or flags["scratch_rate"]) and start is None:
        raise click.UsageError("--linear-probe and --scratch-rate require --from WEIGHTS")
    if flags["checkpoint"] and flags["compile"]:
        raise click.UsageError("--checkpoint does not work with --compile, which itself decides what to recompute")
    if resume is None:
        return
    given = [name for name in flags if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    for parameter in context.command.params:
        if parameter.name in given and parameter.name not in ON_RESUME:
            shown = max(parameter.opts, key=len) if isinstance(parameter, click.Option) else "SPEC"
            raise click.UsageError(f"--resume cannot change a run: leave out {shown}")


def _options(flags: Mapping[str, Any], start: Path | None, quiet: bool) -> Options:
    from archspec.compiler.training.setup.options import Options

    given = {name: flags[name] for name in OPTIONS}
    return Options(**given, weights=start, quiet=quiet, pipeline=flags["pipeline"] or 0)


def _recipe(flags: Mapping[str, Any], start: Path | None, device: str) -> dict[str, Any]:
    """Return what the flags change in the recipe. Raises ArchspecError for what the device does not support."""
    from archspec.compiler.device import chosen

    is_cuda = chosen(device).type == "cuda"
    if flags["amp"] == "fp16" and not is_cuda:
        raise failure("E455", "`--amp fp16` requires CUDA", helps=("`--amp bf16` works on the CPU",))
    changes = {name: flags[name] for name in Recipe._fields if flags.get(name) is not None}
    if start is not None and (flags["linear_probe"] or not flags["scratch_rate"]):
        changes["mode"] = "linear-probe" if flags["linear_probe"] else "fine-tune"
    return {"channels_last": is_cuda, **changes}


def _train(
    spec: str | None, changes: dict[str, Any], recipe: dict[str, Any], options: Options, dry_run: bool
) -> tuple[str, dict[str, Any], bool]:
    """Return a text for people, data, and whether the run was stopped."""
    from archspec.compiler.training import run
    from archspec.compiler.training.setup.plan_text import plan_lines

    if dry_run:
        plan = run.dry_run(spec, changes, recipe, options)
        return "\n".join(map(printable, plan_lines(plan))), plan.to_dict(), False
    end = run.start(spec, changes, recipe, options)
    return "", end.to_dict(), end.stopped


def _resume(path: Path, options: Options) -> tuple[str, dict[str, Any], bool]:
    from archspec.compiler.device import chosen
    from archspec.compiler.training import run

    chosen(options.device)  # raises for CUDA that is unavailable
    end = run.resume(path, options)
    return "", end.to_dict(), end.stopped


def _report(error: ArchspecError, what: str, as_json: bool, is_first: bool) -> None:
    if as_json:
        click.echo(json.dumps(describe(what, error.diagnostics), indent=2))
    if is_first:
        show(error.diagnostics)
        return
    for one in error.diagnostics:
        click.echo(f"process {os.environ['RANK']}: error[{one.code}]: {printable(one.message)}", err=True)
