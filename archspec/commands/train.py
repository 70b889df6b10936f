"""`archspec train`: weights for a spec."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.findings import describe, show, status
from archspec.commands.flag_groups import GroupedCommand
from archspec.commands.flags import change_flags
from archspec.commands.packages import DIGITS, need
from archspec.commands.train_flags import train_flags
from archspec.commands.train_usage import EPILOG, check_usage, processes_to_start
from archspec.compiler.training.parallel.launch import STOPPED, launch
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import printable
from archspec.library import is_path, need_kind
from archspec.recipe import Recipe

if TYPE_CHECKING:
    from archspec.compiler.training.setup.options import Options

# flags that do not change the result: fields of `Options`
OPTIONS = ("data", "out", "recipe", "device", "workers", "save_every", "keep", "peak_tflops")


@click.command("train", cls=GroupedCommand, epilog=EPILOG)
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
    profile: bool,
    as_json: bool,
    changes: dict[str, Any],
    **flags: Any,
) -> None:
    """Train SPEC on a folder of images, or on bundled handwritten digits.

    Writes a folder with weights.safetensors, which includes its spec, classes and preprocessing; best.safetensors, the
    weights of the best epoch; the metrics of every epoch; checkpoints; a report and a summary.
    """
    check_usage(context, spec, resume, start)
    processes = processes_to_start(flags["processes"])
    if os.environ.get("WORLD_SIZE", "1") != "1":
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # its warnings repeat what our own message says
    if profile:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler says that it starts and stops
    is_first = (os.environ.get("RANK") or "0") == "0"  # of several processes: only the first prints
    try:
        need_kind((start,) if start else (), ".safetensors", "E401")
        need("train", *(() if flags["data"] else (DIGITS,)))
        if processes > 1:
            sys.exit(launch(processes, [sys.executable, "-m", "archspec", *sys.argv[1:]]))
        options = _options(spec, flags, start, as_json)
        if resume is None:
            recipe = _recipe(flags, start, options.device)
            work = _dry_run if dry_run else _profile if profile else _train
            text, found, is_stopped = work(spec, changes, recipe, options)
        else:
            text, found, is_stopped = _resume(resume, options)
    except ArchspecError as error:
        _report(error, spec or str(resume or start), as_json and is_first, is_first)
        sys.exit(status(error.diagnostics) or 1)
    if is_first and (as_json or text):
        click.echo(json.dumps(found, indent=2) if as_json else text)
    sys.exit(STOPPED if is_stopped else 0)


def _options(spec: str | None, flags: Mapping[str, Any], start: Path | None, quiet: bool) -> Options:
    from archspec.compiler.training.setup.options import Options

    given = {name: flags[name] for name in OPTIONS}
    is_own = spec is not None and (is_path(spec) or spec == "-")
    return Options(**given, weights=start, quiet=quiet, pipeline=flags["pipeline"] or 0, is_own_spec=is_own)


def _recipe(flags: Mapping[str, Any], start: Path | None, device: str) -> dict[str, Any]:
    """Return what the flags change in the recipe. Raises ArchspecError for what the device does not support."""
    from archspec.compiler.device import chosen

    is_cuda = chosen(device).type == "cuda"
    if flags["amp"] == "fp16" and not is_cuda:
        raise failure("E455", "`--amp fp16` requires CUDA", helps=("`--amp bf16` works on the CPU",))
    changes = {name: flags[name] for name in Recipe._fields if flags.get(name) not in (None, ())}
    if start is not None and (flags["linear_probe"] or not flags["scratch_rate"]):
        changes["mode"] = "linear-probe" if flags["linear_probe"] else "fine-tune"
    return {"channels_last": is_cuda, **changes}


Ended = tuple[str, dict[str, Any], bool]  # a text for people, data, and whether the run was stopped


def _train(spec: str | None, changes: dict[str, Any], recipe: dict[str, Any], options: Options) -> Ended:
    from archspec.compiler.training import run

    end = run.start(spec, changes, recipe, options)
    return "", end.to_dict(), end.stopped


def _dry_run(spec: str | None, changes: dict[str, Any], recipe: dict[str, Any], options: Options) -> Ended:
    from archspec.compiler.training import run
    from archspec.compiler.training.setup.plan_text import plan_lines

    plan = run.dry_run(spec, changes, recipe, options)
    return "\n".join(map(printable, plan_lines(plan))), plan.to_dict(), False


def _profile(spec: str | None, changes: dict[str, Any], recipe: dict[str, Any], options: Options) -> Ended:
    from archspec.compiler.training import run
    from archspec.compiler.training.profile.text import profile_lines

    found = run.profile(spec, changes, recipe, options)
    return "\n".join(profile_lines(found)), found.to_dict(), False


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
