"""A training run from a network to weights.

In: a network, a recipe, where the data are, where to write. Out: a folder with weights, metrics and a summary. A signal
is answered between two steps: to stop (SIGINT, SIGTERM), or to write a checkpoint and go on (SIGUSR1).
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

import archspec
from archspec.api import Network, overrides, restore
from archspec.compiler import build, weights
from archspec.compiler.data.digits import Digits, digits, write_samples
from archspec.compiler.data.folder import checked, folder
from archspec.compiler.data.images import Data
from archspec.compiler.progress import Progress, clock
from archspec.compiler.report import versions, write_report
from archspec.compiler.tally import Tally
from archspec.compiler.throughput import figures, peak_tflops
from archspec.compiler.trained import BEST, WEIGHTS, Trained, open_trained
from archspec.compiler.training.begin import begin, classifiers, freeze
from archspec.compiler.training.board import Board
from archspec.compiler.training.distributed import Group, joined
from archspec.compiler.training.engine import engine, need_pipeline
from archspec.compiler.training.loop import Trainer
from archspec.compiler.training.plan import counts, lines, need_memory, plan, stages_of, with_batch
from archspec.compiler.training.state import RunFolder
from archspec.diagnostics import Diagnostic, SpecError
from archspec.layers.norm import BatchNorm
from archspec.recipe import Recipe, from_dict

SAMPLES = "samples"
MOST_NAMED = 10


@dataclass(frozen=True)
class Options:
    """Where a run reads and writes, and what does not change its result."""

    data: Path | None = None
    out: Path | None = None
    weights: Path | None = None  # to begin from
    device: str = "auto"
    workers: int | None = None
    quiet: bool = False
    pipeline: int = 0  # stages; 0 for none
    keep: int = 3
    save_every: int = 0  # steps; 0 for the ends of epochs alone
    peak_tflops: float | None = None


def start(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Train a spec; `flags` override its recipe. Returns the summary. Raises SpecError."""
    with joined(options.device, options.pipeline > 0) as group:
        _need_stages(options.pipeline, group)
        around = Around(options, group)
        return _train(_session(_chosen(spec, changes, flags, around), around), None)


def dry_run(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """What `start` would do, as data; `lines` are for people. Raises SpecError."""
    with joined(options.device) as group:
        # a pipeline's processes need not be there
        planned = replace(group, rank=0, size=options.pipeline, is_pipeline=True) if options.pipeline else group
        chosen = _chosen(spec, changes, flags, Around(options, planned))
        need_pipeline(chosen.recipe, planned)
        with torch.device("meta"):
            module = build(chosen.network)
        if chosen.recipe.mode == "linear-probe":
            freeze(module, classifiers(chosen.network.graph)[:1])
        learning = counts(module, chosen.recipe)
        found = plan(chosen.network, learning, chosen.recipe, chosen.data, planned.replicas)
        cut = stages_of(chosen.network, options.pipeline)
        return {**found, **cut, "lines": lines({**found, **cut}, chosen.recipe)}


def resume(path: Path, options: Options) -> dict[str, Any]:
    """Go on with a run that was interrupted. Returns the summary. Raises SpecError."""
    run = RunFolder(path, options.keep)
    state = run.load()
    data = options.data or (Path(state["data"]) if state["data"] else None)
    options = replace(options, data=data, out=path, weights=None, pipeline=state["pipeline"])
    with joined(options.device, state["pipeline"] > 0) as group:
        if (state["pipeline"] or state["replicas"]) != group.size:
            before = state["pipeline"] or state["replicas"]
            message = f"the run had {before} processes, and this one has {group.size}"
            helps = (f"`torchrun --nproc-per-node {before} -m archspec train --resume {path}`",)
            raise SpecError([Diagnostic("E458", message, helps=helps)])
        around = Around(options, group)
        for said in run.said:
            around.say(said)
        try:
            session = _again(state, around)
            session.trainer.restore(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            message = f"the checkpoint in `{path}` does not fit: another version of archspec wrote it"
            raise SpecError([Diagnostic("E452", message, notes=(str(error).splitlines()[0],))]) from None
        return _train(session, (run, state))


def _again(state: dict[str, Any], around: Around) -> Session:
    """The session of a checkpoint. Raises SpecError where the images are others."""
    network, recipe = restore(state["bundle"]), from_dict(state["recipe"])
    data = _data(network, recipe, around)
    if list(data.class_names) != state["class_names"] or data.fingerprint != state["fingerprint"]:
        message = f"`{around.options.data}` holds other images than when the run began"
        helps = ("bring them back, or begin another run: `--from` takes this one's best.safetensors",)
        raise SpecError([Diagnostic("E450", message, helps=helps)])
    data = replace(data, mean=tuple(state["mean"]), std=tuple(state["std"]))
    return _session(Chosen(network, recipe, data), around)


class Around:
    """What is around a run: its options, the other processes, and who hears of it."""

    def __init__(self, options: Options, group: Group) -> None:
        self.options, self.group = options, group
        self.progress = Progress(options.quiet or not group.is_first)
        self.say = self.progress.line


def _need_stages(stages: int, group: Group) -> None:
    if stages and stages != group.size:
        message = f"`--pipeline {stages}` needs {stages} processes, a stage in each, and there is {group.size}"
        helps = (f"`torchrun --nproc-per-node {stages} -m archspec train ...`", "`--dry-run` shows the cut alone")
        raise SpecError([Diagnostic("E471", message, helps=helps)])


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
            "bundle": self.network.bundle.to_dict(), "recipe": self.recipe.to_dict(), "mean": list(data.mean),
            "std": list(data.std), "class_names": list(data.class_names),
        }  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """What is trained on what, and how."""

    network: Network
    recipe: Recipe
    data: Data
    first: Trained | None = None


def _chosen(spec: str | None, changes: Mapping[str, Any], flags: Mapping[str, Any], around: Around) -> Chosen:
    options = around.options
    first = open_trained(options.weights) if options.weights else None
    network = _changed(first, changes) if spec is None and first is not None else archspec.load(spec or "", **changes)
    _need_classifier(network)
    need_memory(network, around.group.device)
    recipe = network.recipe or Recipe(flip=options.data is not None)
    if first is not None and first.seed is not None:  # images that the weights have seen are not held out
        recipe = recipe.changed({"seed": first.seed})
    recipe = recipe.changed(flags)
    data = _data(network, recipe, around)
    _need_shorter_warmup(recipe)
    if first is not None and len(first.preprocessing.mean) == network.input.channels:
        data = replace(data, mean=first.preprocessing.mean, std=first.preprocessing.std)
    network = _with_classes(network, len(data.class_names), around)
    if not {"batch", "accumulate"} & flags.keys():
        recipe = with_batch(network, recipe, len(data.train), around.group)
    _need_statistics(network, recipe)
    return Chosen(network, recipe, data, first)


def _changed(first: Trained, changes: Mapping[str, Any]) -> Network:
    """The network of weights, with what the command line changes. Raises SpecError."""
    given = overrides(input=changes["input"], classes=changes["classes"], variant=changes["variant"], values={})
    bundle = {**first.bundle, "set": {**first.bundle["set"], **changes["set"]}}
    more = {"input": given.input, "classes": given.classes, "variant": given.variant}
    return restore({**bundle, **{name: value for name, value in more.items() if value is not None}})


def _need_shorter_warmup(recipe: Recipe) -> None:
    if recipe.warmup >= recipe.epochs:
        message = f"a warm-up of {recipe.warmup:g} epochs takes all of the {recipe.epochs} epochs"
        raise SpecError([Diagnostic("E011", message, helps=("a shorter `--warmup`, or more `--epochs`",))])


def _need_statistics(network: Network, recipe: Recipe) -> None:
    """Raise SpecError where a batch normalisation would have one value of each channel."""
    alone = next((node for node in network.graph.nodes if isinstance(node.layer, BatchNorm)
                  and math.prod(node.volume.spatial) == 1), None)  # fmt: skip
    if recipe.batch == 1 and alone is not None:
        message = f"{alone.name} has one value of each channel in a batch of 1: no statistics"
        raise SpecError([Diagnostic("E453", message, helps=("`--batch 2`, and half of `--accumulate`",))])


def _data(network: Network, recipe: Recipe, around: Around) -> Data:
    root = around.options.data
    if root is None:
        return digits(network.input, recipe.seed)
    data = checked(folder(root, network.input, recipe))
    for path in data.damaged[:MOST_NAMED]:
        around.say(f"`{path}` cannot be read, and is left out")
    if len(data.damaged) > MOST_NAMED:
        around.say(f"... and {len(data.damaged) - MOST_NAMED} more")
    return data


def _session(chosen: Chosen, around: Around) -> Session:
    network, recipe, data = chosen.network, chosen.recipe, chosen.data
    module, said = begin(network, recipe, chosen.first, data.class_names)
    options, learning = around.options, counts(module, recipe)
    workers = options.workers if options.workers is not None else 2 if options.data else 0
    trainer = Trainer(engine(network.graph, module, recipe, around.group), data, workers)
    return Session(network, data, recipe, trainer, around, learning, tuple(said))


def _need_classifier(network: Network) -> None:
    if not network.params:
        helps = ("a layer with weights: `FC 10`",)
        raise SpecError([Diagnostic("E454", f"{network.title} has no weights: there is nothing to train", helps=helps)])
    if len(network.output) != 1 or not network.input.is_map or network.input.channels not in (1, 3):
        message = f"{network.title} takes {network.input} and makes {network.output}: it classifies no images"
        helps = ("training needs a map of 1 or 3 colours in, and a vector of class scores out",)
        raise SpecError([Diagnostic("E454", message, helps=helps)])


def _with_classes(network: Network, classes: int, around: Around) -> Network:
    """The network with as many class scores as the data have classes."""
    if network.output == (classes,):
        return network
    around.say(f"{network.title} has {network.output[0]:,} class scores, the data {classes}: it gets {classes}")
    return restore({**network.bundle.to_dict(), "classes": classes})


# ---- the run
def _train(session: Session, resumed: tuple[RunFolder, dict[str, Any]] | None) -> dict[str, Any]:
    """All epochs. Only the first process has a folder."""
    group, options = session.around.group, session.around.options
    if resumed:
        run = resumed[0] if group.is_first else None
    else:
        run = group.first(partial(RunFolder.new, options.out, session.network.name, options.keep))
    _announce(session, run)
    with _asked() as asked:
        return _Epochs(session, run, asked, resumed[1]["best"] if resumed else -1.0).all()


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

    def __init__(self, session: Session, run: RunFolder | None, asked: _Asked, best: float) -> None:
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
            "data": str(options.data.resolve()) if options.data else "", "fingerprint": self.session.data.fingerprint,
            "best": self.best, "pipeline": options.pipeline, **self.session.fixed,
        }  # fmt: skip
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
            self._note({**row, **figures(self.session.network, row["images_per_second"], self.session.around.group.size,
                                         self.peak)})  # fmt: skip
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
        images = {"source": data.source, "images": count, "fingerprint": data.fingerprint}
        about = {**self.session.fixed, "input": list(network.input), "top1": top1, "data": images}
        state = self.trainer.result()  # of all processes together
        self._first(lambda run: weights.write(run.path / name, state, about))

    def _finish(self) -> dict[str, Any]:
        session, run, say = self.session, self.run, self.session.around.say
        network, data = session.network, session.data
        seconds = sum(row["seconds"] for row in run.rows) if run else time.monotonic() - self.start
        tally = Tally(data.class_names, session.around.group.device)
        found = self.trainer.evaluate(tally.add)
        session.around.group.total(tally.counts)
        evaluation = tally.evaluation()
        right, images = evaluation.right, evaluation.images
        summary = {
            "network": network.name, "top1": evaluation.top1, "top5": evaluation.top5, "loss": found["loss"],
            "images": images, "right": right, "best_top1": self.best, "classes": len(data.class_names),
            "epochs": session.recipe.epochs, "seconds": seconds, "skipped_steps": self.trainer.guard.skipped,
            "damaged_images": sorted(self.trainer.damaged), "recipe": session.recipe.to_dict(),
            "out": str(run.path) if run else "",
        }  # fmt: skip
        self._write(WEIGHTS, evaluation.top1)
        if run is not None:
            run.note("summary.json", summary)
            run.note("evaluation.json", evaluation.to_dict())
            notes = {
                "network": network.title, "parameters": f"{network.params:,}", "data": data.description,
                "time": clock(seconds), "device": str(session.around.group.device), "versions": versions(),
            }  # fmt: skip
            report = run.path / "report.html"
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


class _Asked:
    """What signals have asked for."""

    def __init__(self) -> None:
        self.to_stop = False
        self.to_save = False

    def take_save(self) -> bool:
        """Whether to save, said once."""
        found, self.to_save = self.to_save, False
        return found


@contextmanager
def _asked() -> Iterator[_Asked]:
    """A flag for each signal; a second Ctrl-C or SIGTERM ends the run at once."""
    asked = _Asked()

    def stop(_number: int, _frame: Any) -> None:
        if asked.to_stop:
            raise KeyboardInterrupt
        asked.to_stop = True

    def save(_number: int, _frame: Any) -> None:
        asked.to_save = True

    handlers: dict[signal.Signals, Callable[[int, Any], None]] = {signal.SIGINT: stop, signal.SIGTERM: stop}
    if hasattr(signal, "SIGUSR1"):  # Windows has none
        handlers[signal.SIGUSR1] = save
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
