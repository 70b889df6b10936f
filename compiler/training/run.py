"""A training run from a network to weights.

In: what the command line asks for. Out: a folder with weights, checkpoints, metrics, a report and a summary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from archspec.api import Network
from archspec.compiler import build
from archspec.compiler.data.dataset import Data
from archspec.compiler.data.digits import Digits
from archspec.compiler.pages.samples import write_samples
from archspec.compiler.pages.training_report import versions, write_report
from archspec.compiler.progress import clock
from archspec.compiler.training.loop.signals import Asked, asked
from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.parallel.processes import joined
from archspec.compiler.training.records.run_folder import EVALUATION, REPORT, SUMMARY, RunFolder
from archspec.compiler.training.records.tensorboard import Board
from archspec.compiler.training.records.throughput import figures, peak_tflops
from archspec.compiler.training.setup import requirements as needs
from archspec.compiler.training.setup.choose import Around, Chosen, Options, again, choose
from archspec.compiler.training.setup.fine_tuning import begin, classifiers, freeze
from archspec.compiler.training.setup.plan import counts, lines, plan, stages_of
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.metadata import TrainedOn, WeightsMetadata
from archspec.compiler.weights.trained import BEST, WEIGHTS
from archspec.diagnostics.errors import failure
from archspec.recipe import Recipe

SAMPLES = "samples"


def start(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Train a spec; `flags` override its recipe. Returns the summary. Raises ArchspecError."""
    with joined(options.device, options.pipeline > 0) as group:
        needs.processes(options.pipeline, group)
        around = Around(options, group)
        return _train(_session(choose(spec, changes, flags, around), around), None)


def dry_run(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """What `start` would do, as data; `lines` are for people. Raises ArchspecError."""
    with joined(options.device) as group:
        # a pipeline's processes need not be there
        planned = replace(group, rank=0, size=options.pipeline, is_pipeline=True) if options.pipeline else group
        chosen = choose(spec, changes, flags, Around(options, planned))
        with torch.device("meta"):
            module = build(chosen.network)
        if chosen.recipe.mode == "linear-probe":
            freeze(module, classifiers(chosen.network.graph)[:1])
        learning = counts(module, chosen.recipe)
        found = plan(chosen.network, learning, chosen.recipe, chosen.data, planned.replicas)
        cut = stages_of(chosen.network, options.pipeline)
        return {**found, **cut, "lines": lines({**found, **cut}, chosen.recipe)}


def resume(path: Path, options: Options) -> dict[str, Any]:
    """Go on with a run that was interrupted. Returns the summary. Raises ArchspecError."""
    run = RunFolder(path, options.keep)
    state = run.load()
    data = options.data or (Path(state["data"]) if state["data"] else None)
    options = replace(options, data=data, out=path, weights=None, pipeline=state["pipeline"])
    with joined(options.device, state["pipeline"] > 0) as group:
        if (state["pipeline"] or state["replicas"]) != group.size:
            before = state["pipeline"] or state["replicas"]
            message = f"the run had {before} processes, and this one has {group.size}"
            helps = (f"`torchrun --nproc-per-node {before} -m archspec train --resume {path}`",)
            raise failure("E458", message, helps=helps)
        around = Around(options, group)
        for said in run.said:
            around.say(said)
        try:
            session = _session(again(state, around), around)
            session.trainer.restore(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            message = f"the checkpoint in `{path}` does not fit: another version of archspec wrote it"
            raise failure("E452", message, notes=(str(error).splitlines()[0],)) from None
        return _train(session, (run, state))


@dataclass(frozen=True)
class Session:
    """A run, ready to begin."""

    network: Network
    data: Data
    recipe: Recipe
    trainer: Trainer
    around: Around
    learning: tuple[int, int, int]  # parameters that are decayed, that are not, and that do not learn
    said: tuple[str, ...] = ()

    @property
    def fixed(self) -> dict[str, Any]:
        """What a checkpoint and the weights say of the run."""
        data = self.data
        return {
            "bundle": self.network.bundle.to_dict(),
            "recipe": self.recipe.to_dict(),
            "mean": list(data.mean),
            "std": list(data.std),
            "class_names": list(data.class_names),
        }


def _session(chosen: Chosen, around: Around) -> Session:
    network, recipe, data = chosen.network, chosen.recipe, chosen.data
    module, said = begin(network, recipe, chosen.first, data.class_names)
    options, learning = around.options, counts(module, recipe)
    workers = options.workers if options.workers is not None else 2 if options.data else 0
    trainer = Trainer(engine(network.graph, module, recipe, around.group), data, workers)
    return Session(network, data, recipe, trainer, around, learning, tuple(said))


# ---- the run
def _train(session: Session, resumed: tuple[RunFolder, dict[str, Any]] | None) -> dict[str, Any]:
    """All epochs. Only the first process has a folder."""
    group, options = session.around.group, session.around.options
    if resumed:
        run = resumed[0] if group.is_first else None
    else:
        run = group.first(partial(RunFolder.new, options.out, session.network.name, options.keep))
    _announce(session, run)
    with asked() as signals:
        return _Epochs(session, run, signals, resumed[1]["best"] if resumed else -1.0).all()


def _announce(session: Session, run: RunFolder | None) -> None:
    group = session.around.group
    found = plan(session.network, session.learning, session.recipe, session.data, group.replicas)
    cut = stages_of(session.network, group.size if group.is_pipeline else 0)
    for said in (*lines({**found, **cut}, session.recipe), f"device        {group.device}", *session.said):
        session.around.say(said)
    if run is not None:
        session.around.say(f"writing to {run.path}/")


class _Epochs:
    """The epochs of a run, with what is written between them."""

    def __init__(self, session: Session, run: RunFolder | None, asked: Asked, best: float) -> None:
        self.session, self.run, self.best = session, run, best
        self.start = time.monotonic()
        self.asked = asked
        self.trainer = session.trainer
        self.trainer.wants, self.trainer.save, self.trainer.tell = self._wants, self._save, session.around.say
        device, amp = session.around.group.device, session.recipe.amp
        self.peak = session.around.options.peak_tflops or peak_tflops(device, amp)
        self.board = Board(run.path if run else None)

    def _wants(self) -> tuple[bool, bool]:
        every = self.session.around.options.save_every
        is_due = every > 0 and self.trainer.steps_done > 0 and self.trainer.steps_done % every == 0
        return self.asked.to_stop, self.asked.take_save() or is_due

    def _save(self) -> None:
        trainer, options = self.trainer, self.session.around.options
        state = trainer.state()  # of all processes together
        state |= {
            "data": str(options.data.resolve()) if options.data else "",
            "fingerprint": self.session.data.fingerprint,
            "best": self.best,
            "pipeline": options.pipeline,
            **self.session.fixed,
        }
        steps = trainer.epoch * trainer.steps + trainer.steps_done
        self._first(lambda run: run.save({**state, "rows": run.rows}, steps))

    def _first(self, work: Callable[[RunFolder], None]) -> None:
        """Write something in the first process; where it cannot, all processes stop."""
        self.session.around.group.first(lambda: work(self.run) if self.run is not None else None)

    def all(self) -> dict[str, Any]:
        """Train to the end, or until somebody stops it. Returns the summary."""
        recipe, say, run = self.session.recipe, self.session.around.say, self.run
        while self.trainer.epoch < recipe.epochs:
            row = self.trainer.run_epoch(self.session.around.progress)
            if self.trainer.is_stopped:
                self._save()
                if run is not None:
                    say(f"stopped; `archspec train --resume {run.path}` goes on from here")
                return {"stopped": True, "epoch": self.trainer.epoch, "out": str(run.path) if run else ""}
            self._note(
                {
                    **row,
                    **figures(
                        self.session.network, row["images_per_second"], self.session.around.group.size, self.peak
                    ),
                }
            )
        return self._finish()

    def _note(self, row: dict[str, Any]) -> None:
        is_best, self.best = row["top1"] > self.best, max(self.best, row["top1"])
        self.session.around.say(_row_text(row, self.session.recipe.epochs))
        self._first(lambda run: run.add(row))
        self.board.add(row)
        if is_best:  # before the checkpoint that knows of it
            self._write(BEST, row["top1"])
        self._save()

    def _write(self, name: str, top1: float) -> None:
        network, data = self.session.network, self.session.data
        count = len(data.train) + len(data.held_out)
        images = TrainedOn(data.source, data.fingerprint, count)
        recipe = self.session.recipe.to_dict()
        metadata = WeightsMetadata(network, recipe, data.class_names, data.mean, data.std, top1, images)
        state = self.trainer.result()  # of all processes together
        self._first(lambda run: weights.write(run.path / name, state, metadata.to_json()))

    def _finish(self) -> dict[str, Any]:
        session, run, say = self.session, self.run, self.session.around.say
        network, data = session.network, session.data
        seconds = sum(row["seconds"] for row in run.rows) if run else time.monotonic() - self.start
        loss, evaluation = self.trainer.judged or self.trainer.evaluate()  # a finished run that is resumed has none
        right, images = evaluation.right, evaluation.images
        summary = {
            "network": network.name,
            "top1": evaluation.top1,
            "top5": evaluation.top5,
            "loss": loss,
            "images": images,
            "right": right,
            "best_top1": self.best,
            "classes": len(data.class_names),
            "epochs": session.recipe.epochs,
            "seconds": seconds,
            "skipped_steps": self.trainer.guard.skipped,
            "damaged_images": sorted(self.trainer.damaged),
            "recipe": session.recipe.to_dict(),
            "out": str(run.path) if run else "",
        }
        self._write(WEIGHTS, evaluation.top1)
        if run is not None:
            run.note(SUMMARY, summary)
            run.note(EVALUATION, evaluation.to_dict())
            notes = {
                "network": network.title,
                "parameters": f"{network.params:,}",
                "data": data.description,
                "time": clock(seconds),
                "device": str(session.around.group.device),
                "versions": versions(),
            }
            report = run.path / REPORT
            write_report(report, network.title, run.rows, session.recipe.to_dict(), evaluation, notes)
            say(f"curves, confusion matrix and recipe: {report}")
            say(f"top-1 {100 * evaluation.top1:.2f} % ({right:,} of {images:,} held out) after {clock(seconds)}")
            if isinstance(data.held_out, Digits):
                write_samples(data.held_out, run.path / SAMPLES)
                say(f"a held-out digit of each class as an image: {run.path / SAMPLES}/")
            say(f"next: archspec export {run.path / WEIGHTS} -o {network.name}.onnx")
        return summary


def _row_text(row: dict[str, Any], epochs: int) -> str:
    mfu = f"  MFU {100 * row['mfu']:.0f} %" if "mfu" in row else ""
    skipped = f"  {row['skipped']} skipped" if row["skipped"] else ""
    return (
        f"epoch {row['epoch']:>3}/{epochs}  loss {row['loss']:.4f}  held out {row['held_out_loss']:.4f}"
        f"  top-1 {100 * row['top1']:.2f} %  lr {row['lr']:.2g}  {row['images_per_second']:,.0f} images/s"
        f"  wait {100 * row['data_wait']:.0f} %{mfu}{skipped}"
    )
