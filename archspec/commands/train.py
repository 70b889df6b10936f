"""`archspec train`: weights for a spec."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from archspec.commands.findings import describe, show, status
from archspec.commands.flags import change_flags
from archspec.commands.packages import need
from archspec.diagnostics import SpecError

STOPPED = 130
EPILOG = """\b
Examples:
  archspec train lenet5                               on the bundled digits
  archspec train resnet18 --input 64x64x3 --data photos/ --epochs 20
  archspec train lenet5 --optimizer adamw --lr 1e-3 --schedule cosine
  archspec train --resume runs/lenet5-1               go on with a run that was interrupted
  torchrun --nproc-per-node 2 -m archspec train lenet5

\b
--data takes a folder with one folder of images a class, in `train` and `val` (or
`validation`); without these a tenth is held out. Without --data it trains on the 1,797
handwritten digits that come with scikit-learn.

\b
Exit status: 0, or 1 where the spec or the data are wrong, or 2 where the command line is, or
130 where it was stopped (Ctrl-C, SIGTERM): then a checkpoint is left.
"""
POSITIVE = click.FloatRange(0, min_open=True)
SCHEDULES, AMP = ("cosine", "step", "plateau", "constant"), ("off", "bf16", "fp16")
SHARE = click.FloatRange(0, 1, max_open=True)


@click.command("train", epilog=EPILOG)
@click.argument("spec", required=False)
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="A folder of images.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: runs/<network>-<n>.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="DIR", help="Go on with the run in this folder.")
@click.option("--epochs", type=click.IntRange(1), default=30, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=32, show_default=True, help="Images of a step and process.")
@click.option("--accumulate", type=click.IntRange(1), default=1, show_default=True, help="Batches of one step.")
@click.option("--optimizer", type=click.Choice(["sgd", "adamw"]), default="sgd", show_default=True)
@click.option("--lr", type=POSITIVE, default=0.02, show_default=True, help="For a batch of 32; scaled with the batch.")
@click.option("--momentum", type=SHARE, default=0.9, show_default=True)
@click.option("--weight-decay", type=click.FloatRange(0), default=5e-4, show_default=True, help="Of weights only.")
@click.option("--schedule", type=click.Choice(SCHEDULES), default="cosine", show_default=True)
@click.option("--warmup", type=click.FloatRange(0), default=1.0, show_default=True, metavar="EPOCHS")
@click.option("--label-smoothing", type=SHARE, default=0.0, show_default=True)
@click.option("--flip/--no-flip", default=None, help="Mirror half of the images; on with --data.")
@click.option("--crop", type=click.FloatRange(1, 4), default=1.125, show_default=True, help="Crop from larger images.")
@click.option("--jitter", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Of light and colour.")
@click.option("--amp", type=click.Choice(AMP), default="off", show_default=True, help="Mixed precision.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(0, 256), help="Processes that decode images; 2 with --data.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
@change_flags
def command(
    spec: str | None, data: Path | None, out: Path | None, resume: Path | None, device: str, workers: int | None,
    as_json: bool, changes: dict[str, Any], flip: bool | None, **numbers: Any,
) -> None:  # fmt: skip
    """Train SPEC on a folder of images, or on bundled handwritten digits.

    The folder that it writes holds weights.safetensors, which knows its spec, classes and preprocessing, the metrics of
    every epoch and a summary.
    """
    if (spec is None) == (resume is None):
        raise click.UsageError("give a SPEC, or --resume DIR")
    try:
        need("torch", "numpy", "safetensors", "PIL", *(() if data else ("sklearn",)))
        _need_device(device, numbers["amp"])
        summary = _train(spec, resume, changes, {**numbers, "flip": bool(data) if flip is None else flip}, {
            "data": data, "out": out, "device": device, "quiet": as_json,
            "workers": workers if workers is not None else 2 if data else 0,
        })  # fmt: skip
    except SpecError as error:
        if as_json:
            click.echo(json.dumps(describe(spec or str(resume), error.diagnostics), indent=2))
        show(error.diagnostics)
        sys.exit(status(error.diagnostics))
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    sys.exit(STOPPED if summary.get("stopped") else 0)


def _train(
    spec: str | None, resume: Path | None, changes: dict[str, Any], recipe: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    from archspec.compiler.training import run
    from archspec.compiler.training.recipe import Recipe

    if resume is not None:
        return run.resume(resume, run.Options(**options))
    assert spec is not None
    return run.start(spec, changes, Recipe(**recipe), run.Options(**options))


def _need_device(device: str, amp: str) -> None:
    """Raise SpecError for CUDA that is not there."""
    import torch

    from archspec.diagnostics import Diagnostic

    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        built = "this torch is built without it" if torch.version.cuda is None else "torch finds no GPU"
        helps = ("`--device cpu` trains without; `archspec doctor` looks at the installation",)
        raise SpecError([Diagnostic("E434", f"CUDA cannot be used: {built}", helps=helps)])
    if amp == "fp16" and (device == "cpu" or not has_cuda):
        helps = ("`--amp bf16` works on the CPU, and needs no scaling of the loss",)
        raise SpecError([Diagnostic("E455", "`--amp fp16` needs CUDA", helps=helps)])
