"""What a run writes: a checkpoint when asked for one, the figures of each epoch, the best weights, the last ones.

In: a session, its folder, signals. Out: files and lines. All processes call the same methods in the same order; only
the first one has a folder.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from archspec.compiler.training.loop.observer import Requests
from archspec.compiler.training.loop.signals import SignalFlags
from archspec.compiler.training.page import write_page
from archspec.compiler.training.records.checkpoint import Checkpoint, TrainerState
from archspec.compiler.training.records.epoch_figures import OF_LOSS, TOTAL, EpochFigures
from archspec.compiler.training.records.run_folder import RunFolder
from archspec.compiler.training.records.run_status import RunStatus
from archspec.compiler.training.records.tensorboard import ScalarWriter
from archspec.compiler.training.records.throughput import peak_tflops, throughput
from archspec.compiler.training.session import Session
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.trained import BEST

SCORES = {"top-1": "top1", "top-5": "top5", "mean IoU": "mean_iou", "pixels": "pixel_accuracy"}  # of an epoch's line
INDENT = " " * 4  # of what follows an epoch's line
SLOW_LOADING = 0.2  # of the time: from here on, more `--workers` may help


class RunRecorder:
    """The observer of a run's trainer. `best` is the highest top-1, or mean IoU, so far."""

    def __init__(self, session: Session, folder: RunFolder | None, signals: SignalFlags, best: float = -1.0) -> None:
        self.session, self.folder, self.signals, self.best = session, folder, signals, best
        self.context = session.context
        self.peak = self.context.options.peak_tflops or peak_tflops(
            self.context.group.device, session.configuration.recipe.amp
        )
        self.scalars = ScalarWriter(folder.path if folder else None)

    # ---- as a TrainingObserver
    def requests(self, steps_done: int) -> Requests:
        """See TrainingObserver."""
        every = self.context.options.save_every
        is_due = every > 0 and steps_done > 0 and steps_done % every == 0
        return Requests(self.signals.to_stop, self.signals.take_save() or is_due)

    def show_progress(self, line: Callable[[], str]) -> None:
        """See TrainingObserver."""
        self.context.progress.step(line)

    def tell(self, message: str) -> None:
        """See TrainingObserver."""
        self.context.say(message)

    def save(self, state: TrainerState) -> None:
        """Write a checkpoint."""
        options, data = self.context.options, self.session.configuration.data
        checkpoint = Checkpoint(
            trainer=state,
            description=self.session.description,
            data=str(options.data.resolve()) if options.data else "",
            fingerprint=data.fingerprint,
            best=self.best,
            pipeline=options.pipeline,
            rows=tuple(self.folder.rows) if self.folder else (),
        )
        steps = state.epoch * self.session.trainer.steps + state.steps_done
        self.write(lambda folder: folder.save(checkpoint, steps))

    # ---- the ends of epochs
    def end_epoch(self, measured: EpochFigures) -> None:
        """Write what an epoch measured, a checkpoint, and the weights if they are the best so far."""
        network, processes = self.session.configuration.network, self.context.group.size
        speed = throughput(network, measured.images_per_second, processes, self.peak)
        figures = replace(measured, tflops=speed.tflops, mfu=speed.mfu)
        is_best, self.best = figures.score > self.best, max(self.best, figures.score)
        for line in (epoch_line(figures, self.session.configuration.recipe.epochs), *loss_lines(figures)):
            self.context.say(line)
        self.write(lambda folder: folder.add(figures))
        self.write(lambda _: self.scalars.add(figures))
        if is_best:  # before the checkpoint that knows of it
            self.write_weights(BEST, figures.score)
        self.save(self.session.trainer.state())

    def write_page(self, status: RunStatus) -> None:
        """Write the page of the run as it is now."""
        self.write(lambda folder: write_page(self.session, folder, self.session.trainer.result, status))

    def write_weights(self, name: str, score: float) -> None:
        """Write the weights, from all processes."""
        metadata, state = self.session.weights_metadata(score), self.session.trainer.weights()
        self.write(lambda folder: weights.write(folder.path / name, state, metadata.to_json()))

    def write(self, work: Callable[[RunFolder], object]) -> None:
        """Write something in the first process; if that fails, all processes raise ArchspecError."""
        self.context.group.first(lambda: work(self.folder) if self.folder is not None else None)

    @property
    def path(self) -> Path | None:
        """The folder, in the first process."""
        return self.folder.path if self.folder else None


def epoch_line(figures: EpochFigures, epochs: int) -> str:
    """Return the line that the terminal shows for an epoch, in 100 columns unless something is to be noticed."""
    waiting = f"  waiting {100 * figures.data_wait:.0f} %" if figures.data_wait >= SLOW_LOADING else ""
    mfu = f"  MFU {100 * figures.mfu:.0f} %" if figures.mfu is not None else ""
    skipped = f"  {figures.skipped} skipped" if figures.skipped else ""
    scores = [(name, getattr(figures, column)) for name, column in SCORES.items()]
    right = "".join(f"  {name} {100 * value:.2f} %" for name, value in scores if value is not None)
    return (
        f"epoch {figures.epoch:>3}/{epochs}  loss {figures.loss:.4f}  held-out {figures.held_out_loss:.4f}"
        f"{right}  lr {figures.lr:.2g}"
        f"  {figures.images_per_second:,.0f} images/s{waiting}{mfu}{skipped}"
    )


def loss_lines(figures: EpochFigures) -> list[str]:
    """Return the lines of the losses of a network with several, and of their weighted sum, in 100 columns."""
    losses = figures.losses or {}
    named = {"total" if name == TOTAL else name.removeprefix(OF_LOSS): value for name, value in losses.items()}
    text = ", ".join(f"{name} {value:.4f}" for name, value in named.items())
    return textwrap.wrap(text, 100, initial_indent=INDENT + "losses: ", subsequent_indent=INDENT)
