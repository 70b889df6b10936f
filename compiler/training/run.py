"""Training runs: start one, resume one, or say what one would do.

In: what the command line asks for. Out: a summary, and a folder with weights, checkpoints, metrics and a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from archspec.compiler import build
from archspec.compiler.threads import computing_with
from archspec.compiler.training.epochs import train
from archspec.compiler.training.parallel.command_line import command_line
from archspec.compiler.training.parallel.processes import Group, joined
from archspec.compiler.training.profile.measure import profiled
from archspec.compiler.training.profile.spec_lines import Profile
from archspec.compiler.training.records.checkpoint import Checkpoint
from archspec.compiler.training.records.run_folder import RunFolder, need_own_files
from archspec.compiler.training.records.run_lock import locked
from archspec.compiler.training.records.summary import RunSummary, StoppedRun
from archspec.compiler.training.session import Session, session
from archspec.compiler.training.setup import requirements
from archspec.compiler.training.setup.configuration import from_checkpoint, from_flags
from archspec.compiler.training.setup.options import Options, RunContext
from archspec.compiler.training.setup.plan import ParameterCounts, TrainingPlan, plan
from archspec.compiler.training.weighting.frozen import freeze, frozen_layers
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import plural


def start(
    spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options
) -> RunSummary | StoppedRun:
    """Train a spec; `flags` override its recipe. Raises ArchspecError."""
    with ExitStack() as held:
        group = replace(held.enter_context(joined(options.device)), is_pipeline=options.pipeline > 0)
        requirements.processes(options.pipeline, group)
        context = RunContext(options, group)
        ready = session(from_flags(spec, changes, flags, context), context)
        name = ready.configuration.network.name
        folder = group.first(partial(RunFolder.new, options.out, name, options.keep, held))
        group.name_folder(folder.path if folder else None)
        held.enter_context(computing_with(ready.configuration.recipe.threads))
        return train(ready, folder)


def dry_run(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options) -> TrainingPlan:
    """Return what `start` would do. Raises ArchspecError."""
    with joined(options.device) as joined_group:
        group = joined_group
        if options.pipeline:  # as its first process sees it, whether or not the others are running
            group = replace(group, rank=0, size=options.pipeline, is_pipeline=True)
        configuration = from_flags(spec, changes, flags, RunContext(options, group))
        with torch.device("meta"):
            module = build(configuration.network)
        freeze(module, frozen_layers(configuration.network.graph, configuration.recipe))
        return plan(configuration, ParameterCounts.of(module), group)


def profile(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options) -> Profile:
    """Return where the time of a step goes, in a single process, and write torch's trace. Raises ArchspecError."""
    with ExitStack() as held:
        group = held.enter_context(joined(options.device))
        context = RunContext(options, group)
        ready = session(from_flags(spec, changes, {**flags, "compile": False}, context), context)
        folder = RunFolder.new(options.out, ready.configuration.network.name, options.keep, held)
        return profiled(ready, folder.path)


def resume(path: Path, options: Options) -> RunSummary | StoppedRun:
    """Continue an interrupted run to the weights it would have had. Raises ArchspecError."""
    with ExitStack() as held:
        group = held.enter_context(joined(options.device))
        folder = RunFolder(path, options.keep)
        group.first(lambda: _lock(path, held) if folder.checkpoints() else None)
        checkpoint = folder.load()
        if group.is_first:
            folder.clean()
        group = replace(group, is_pipeline=checkpoint.pipeline > 0)
        _require_processes(checkpoint, group, path)
        group.name_folder(path)
        data = options.data or (Path(checkpoint.data) if checkpoint.data else None)
        options = replace(options, data=data, out=path, weights=None, pipeline=checkpoint.pipeline)
        context = RunContext(options, group)
        for message in folder.messages:
            context.say(message)
        ready, best = _restored(checkpoint, context, path), checkpoint.best
        held.enter_context(computing_with(ready.configuration.recipe.threads))
        del checkpoint  # it has the whole network's weights
        return train(ready, folder if group.is_first else None, best)


def _lock(path: Path, held: ExitStack) -> None:
    held.enter_context(locked(path))
    need_own_files(path)


def _require_processes(checkpoint: Checkpoint, group: Group, path: Path) -> None:
    if checkpoint.processes != group.size:
        message = f"the run began with {plural(checkpoint.processes, 'process')}, but there {_are(group.size)} now"
        raise failure("E458", message, helps=(f"`{command_line(checkpoint.processes, f'--resume {path}')}`",))


def _are(number: int) -> str:
    return "is 1" if number == 1 else f"are {number}"


def _restored(checkpoint: Checkpoint, context: RunContext, path: Path) -> Session:
    try:
        ready = session(from_checkpoint(checkpoint, context), context)
        ready.trainer.restore(checkpoint.trainer)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        message = f"the checkpoint in `{path}` does not fit: another version of archspec wrote it"
        raise failure("E452", message, notes=(str(error).splitlines()[0],)) from None
    return ready
