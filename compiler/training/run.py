"""A training run from a network to weights.

In: a network, a recipe, where the data are, where to write. Out: a folder with weights, metrics and a summary. A signal
to stop is answered between two steps, with a checkpoint to go on from.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import archspec
from archspec.api import Network, restore
from archspec.compiler import weights
from archspec.compiler.lower import build
from archspec.compiler.training.data import Data
from archspec.compiler.training.digits import Digits, digits, write_samples
from archspec.compiler.training.distributed import Group, joined
from archspec.compiler.training.folder import check_images, folder
from archspec.compiler.training.loop import Trainer
from archspec.compiler.training.progress import Progress, clock
from archspec.compiler.training.recipe import Recipe
from archspec.compiler.training.state import WEIGHTS, RunFolder
from archspec.diagnostics import Diagnostic, SpecError

SAMPLES = "samples"


@dataclass(frozen=True)
class Options:
    """Where a run reads and writes."""

    data: Path | None = None
    out: Path | None = None
    device: str = "auto"
    workers: int = 0
    quiet: bool = False


def start(spec: str, changes: dict[str, Any], recipe: Recipe, options: Options) -> dict[str, Any]:
    """Train a spec from first weights. Returns the summary. Raises SpecError."""
    network = archspec.load(spec, **changes)
    _need_classifier(network)
    return _run(network, recipe, options, None)


def resume(path: Path, options: Options) -> dict[str, Any]:
    """Go on with a run that was interrupted. Returns the summary. Raises SpecError."""
    run = RunFolder(path)
    state = run.load()
    data = Path(state["data"]) if state["data"] else None
    options = replace(options, data=data, out=path)
    return _run(restore(state["bundle"]), Recipe(**state["recipe"]), options, (run, state))


def _need_classifier(network: Network) -> None:
    if len(network.output) != 1 or not network.input.is_map or network.input.channels not in (1, 3):
        message = f"{network.title} takes {network.input} and makes {network.output}: it classifies no images"
        helps = ("training needs a map of 1 or 3 colours in, and a vector of class scores out",)
        raise SpecError([Diagnostic("E454", message, helps=helps)])


@dataclass(frozen=True)
class Session:
    """A run and what is around it. Only the first process has a folder."""

    network: Network
    data: Data
    recipe: Recipe
    group: Group
    progress: Progress
    run: RunFolder | None
    data_folder: Path | None

    @property
    def fixed(self) -> dict[str, Any]:
        """What a checkpoint and the weights say of the run."""
        bundle, recipe = self.network.bundle.to_dict(), self.recipe.to_dict()
        return {"bundle": bundle, "recipe": recipe, "data": str(self.data_folder or "")}


def _run(
    network: Network, recipe: Recipe, options: Options, resumed: tuple[RunFolder, dict[str, Any]] | None
) -> dict[str, Any]:
    with joined(options.device) as group, _stopping() as stop:
        return _in_group(network, recipe, options, resumed, (group, stop))


def _in_group(
    network: Network, recipe: Recipe, options: Options, resumed: tuple[RunFolder, dict[str, Any]] | None,
    around: tuple[Group, Callable[[], bool]],
) -> dict[str, Any]:  # fmt: skip
    """The run of one process. All that it made is gone when it returns, before the group is left."""
    group, stop = around
    progress = Progress(options.quiet or not group.is_first)
    data = folder(options.data, network.input, recipe) if options.data else digits(network.input, recipe.seed)
    check_images(data.train)
    check_images(data.held_out)
    network = _with_classes(network, len(data.class_names), progress)
    torch.manual_seed(recipe.seed + group.rank)
    trainer = Trainer(build(network, seed=recipe.seed), data, recipe, group, options.workers)
    trainer.stop = stop
    run = resumed[0] if resumed else RunFolder.new(options.out, network.name) if group.is_first else None
    if resumed:
        weights.fill(trainer.module, resumed[1]["module"], "the checkpoint")
        trainer.restore(resumed[1])
    session = Session(network, data, recipe, group, progress, run if group.is_first else None, options.data)
    _announce(session)
    return _epochs(trainer, session)


def _with_classes(network: Network, classes: int, progress: Progress) -> Network:
    """The network with as many class scores as the data have classes."""
    if network.output == (classes,):
        return network
    progress.line(f"{network.title} has {network.output[0]:,} class scores, the data {classes}: it gets {classes}")
    return restore({**network.bundle.to_dict(), "classes": classes})


def _announce(session: Session) -> None:
    network, recipe, group, say = session.network, session.recipe, session.group, session.progress.line
    step = recipe.batch * recipe.accumulate * group.size
    parts = [f"batch {recipe.batch}"]
    parts += [f"x {recipe.accumulate} accumulated"] if recipe.accumulate > 1 else []
    parts += [f"x {group.size} processes"] if group.size > 1 else []
    lr = f"lr {recipe.lr:g} x {step}/{recipe.reference_batch} = {recipe.scaled_lr(group.size):g}"
    say(f"{network.title}: {network.params:,} parameters, on {group.device}, seed {recipe.seed}")
    say(session.data.description)
    say(f"{recipe.optimizer}, {' '.join(parts)}, {lr}, {recipe.schedule}, {recipe.epochs} epochs")
    if session.run is not None:
        say(f"writing to {session.run.path}/")


def _epochs(trainer: Trainer, session: Session) -> dict[str, Any]:
    start, run = time.monotonic(), session.run
    while trainer.epoch < session.recipe.epochs:
        row = trainer.run_epoch(session.progress)
        if run is not None:
            if row:
                run.add(row)
            run.save({**trainer.state(), **session.fixed, "rows": run.rows})
        if trainer.is_stopped:
            if run is not None:
                session.progress.line(f"stopped; `archspec train --resume {run.path}` goes on from here")
            return {"stopped": True, "epoch": trainer.epoch, "out": str(run.path) if run else ""}
        session.progress.line(_row_text(row, session.recipe.epochs))
    return _finish(trainer, session, time.monotonic() - start)


def _row_text(row: dict[str, Any], epochs: int) -> str:
    return (
        f"epoch {row['epoch']:>3}/{epochs}  loss {row['loss']:.4f}  held out {row['held_out_loss']:.4f}"
        f"  top-1 {100 * row['top1']:.2f} %  lr {row['lr']:.2g}  {row['images_per_second']:,.0f} images/s"
    )


def _finish(trainer: Trainer, session: Session, seconds: float) -> dict[str, Any]:
    network, data, run, say = session.network, session.data, session.run, session.progress.line
    found = trainer.evaluate()
    right, images = round(found["top1"] * found["images"]), int(found["images"])
    summary = {
        "network": network.name, "top1": found["top1"], "loss": found["loss"], "images": images,
        "classes": len(data.class_names), "epochs": session.recipe.epochs, "seconds": seconds,
        "recipe": session.recipe.to_dict(), "out": str(run.path) if run else "",
    }  # fmt: skip
    if run is not None:
        about = {
            **session.fixed, "input": list(network.input), "class_names": list(data.class_names),
            "mean": list(data.mean), "std": list(data.std), "top1": found["top1"],
        }  # fmt: skip
        del about["data"]  # a path of this machine
        weights.write(run.path / WEIGHTS, trainer.module.state_dict(), about)
        run.finish(summary)
        say(f"top-1 {100 * found['top1']:.2f} % ({right:,} of {images:,} held out) after {clock(seconds)}")
        if isinstance(data.held_out, Digits):
            write_samples(data.held_out, run.path / SAMPLES)
            say(f"a held-out digit of each class as an image: {run.path / SAMPLES}/")
        say(f"next: archspec export {run.path / WEIGHTS} -o {network.name}.onnx")
    return summary


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Whether somebody has asked the run to stop: Ctrl-C or SIGTERM; a second Ctrl-C ends it at once."""
    asked: list[int] = []

    def ask(number: int, _frame: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
