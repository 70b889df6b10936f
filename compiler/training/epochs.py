"""All epochs of a run, and its end.

In: a session. Out: a run's folder, with weights, checkpoints, metrics, a page and a summary.
"""

from __future__ import annotations

import time
from contextlib import suppress

from archspec.compiler.data.digits import Digits
from archspec.compiler.pages.samples import write_samples
from archspec.compiler.progress import clock
from archspec.compiler.training.loop.held_out import HeldOutResult
from archspec.compiler.training.loop.signals import caught_signals
from archspec.compiler.training.page import write_page
from archspec.compiler.training.parallel.command_line import command_line
from archspec.compiler.training.recorder import RunRecorder
from archspec.compiler.training.records.peak_memory import peak_memory
from archspec.compiler.training.records.run_folder import EVALUATION, SAMPLES, SUMMARY, RunFolder
from archspec.compiler.training.records.run_status import failed, finished, in_progress, stopped
from archspec.compiler.training.records.summary import RunSummary, StoppedRun
from archspec.compiler.training.session import Session
from archspec.compiler.training.setup.plan_text import named, plan_lines
from archspec.compiler.weights.trained import WEIGHTS
from archspec.diagnostics.errors import ArchspecError


def train(session: Session, folder: RunFolder | None, best: float = -1.0) -> RunSummary | StoppedRun:
    """Train to the end, or until a signal stops it. `folder` is the first process's; `best` a resumed run's score."""
    _announce(session, folder)
    with caught_signals() as signals:
        recorder = RunRecorder(session, folder, signals, best)
        try:
            return _train(recorder)
        except ArchspecError as error:
            if folder is not None:
                status = failed(session.trainer.epoch, session.configuration.recipe.epochs, error)
                with suppress(ArchspecError):  # the disk may be full: the page of the last epoch stays
                    write_page(session, folder, session.trainer.result, status)
            raise


def _train(recorder: RunRecorder) -> RunSummary | StoppedRun:
    start, session, folder = time.monotonic(), recorder.session, recorder.folder
    trainer, epochs = session.trainer, session.configuration.recipe.epochs
    while trainer.epoch < epochs:
        recorder.write_page(in_progress(trainer.epoch, epochs))
        figures = trainer.run_epoch(recorder)
        if figures is None:
            return _stop(recorder)
        recorder.end_epoch(figures)
    result = trainer.result or trainer.evaluate(recorder)  # a finished run that is resumed has none yet
    summary = _summary(recorder, result, time.monotonic() - start)
    recorder.write_weights(WEIGHTS, result.evaluation.score)
    if folder is not None:
        _write_results(session, folder, summary, result)
    return summary


def _announce(session: Session, folder: RunFolder | None) -> None:
    device = named("device", str(session.context.group.device))
    for line in (*plan_lines(session.plan), device, *session.messages):
        session.context.say(line)
    if folder is not None:
        session.context.say(f"writing to {folder.path}/")


def _stop(recorder: RunRecorder) -> StoppedRun:
    trainer, path = recorder.session.trainer, recorder.path
    recorder.save(trainer.state())
    command = command_line(recorder.context.group.size, f"--resume {path}")
    recorder.write_page(stopped(trainer.epoch, recorder.session.configuration.recipe.epochs, command))
    if path is not None:
        recorder.tell(f"stopped; `{command}` continues from here")
    return StoppedRun(trainer.epoch, str(path or ""))


def _summary(recorder: RunRecorder, result: HeldOutResult, seconds: float) -> RunSummary:
    """Return the summary; `seconds` are those of this process, used if it has no folder."""
    configuration, trainer, folder = recorder.session.configuration, recorder.session.trainer, recorder.folder
    measured = peak_memory(recorder.context.group.device)
    return RunSummary(
        network=configuration.network.name,
        evaluation=result.evaluation,
        loss=result.loss,
        best=recorder.best,
        classes=len(configuration.data.class_names),
        epochs=configuration.recipe.epochs,
        seconds=sum(row.seconds for row in folder.rows) if folder else seconds,
        skipped_steps=trainer.update.skipping.skipped,
        damaged_images=tuple(trainer.damaged.paths),
        recipe=configuration.recipe,
        out=str(recorder.path or ""),
        memory_predicted=recorder.session.plan.memory_bytes,
        memory_measured=measured.size if measured else None,
        memory_measured_is=measured.what if measured else "unknown on this system",
        diagnostics=configuration.data.findings,
    )


def _write_results(session: Session, folder: RunFolder, summary: RunSummary, result: HeldOutResult) -> None:
    """Write the summary, the evaluation and the page, and say what to do next."""
    say, data = session.context.say, session.configuration.data
    folder.write_json(SUMMARY, summary.to_dict())
    folder.write_json(EVALUATION, result.evaluation.to_dict())
    page = write_page(session, folder, result, finished(summary.epochs))
    shown = "predictions" if result.maps else "confusion matrix, mistakes"
    say(f"curves, {shown} and recipe: {page}")
    say(f"{result.evaluation.headline} in {clock(summary.seconds)}")
    if isinstance(data.held_out, Digits):
        write_samples(data.held_out, folder.path / SAMPLES)
        say(f"one held-out digit of each class as an image: {folder.path / SAMPLES}/")
    say(f"next: archspec export {folder.path / WEIGHTS} -o {summary.network}.onnx")
