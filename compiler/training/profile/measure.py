"""A few steps of a run under torch's profiler.

In: a session that is ready to train, the folder of its run. Out: a `Profile`, and the trace in the folder. Steps are
those of training: the same images, loss and optimiser. The weights are changed and not kept.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.autograd.profiler import record_function

from archspec.compiler.lowering.lower import Lowered
from archspec.compiler.training.loop.observer import Requests, SilentObserver
from archspec.compiler.training.profile.spec_lines import MILLI, Profile, by_lines
from archspec.compiler.training.profile.timeline import LAYER, WINDOW, Event, device_times, durations, segments
from archspec.compiler.training.records.run_folder import TRACE
from archspec.compiler.training.session import Session
from archspec.compiler.weights.atomic import replace_file

WARM_UP, PLAIN, PROFILED = 3, 3, 10  # steps that are not measured, without the profiler, and with it
STATEMENT = re.compile(r"^( +)(\w+ = .*)  # (\S+)$", re.MULTILINE)  # of a generated forward pass: one a layer


def with_ranges(code: str) -> str:
    """Return a generated forward pass in which each layer is a range of the profiler."""
    return STATEMENT.sub(_in_range, code)


def _in_range(found: re.Match[str]) -> str:
    indent, statement, name = found.groups()
    range_ = f"torch.autograd.profiler.record_function({LAYER + name!r})"
    return f"{indent}with {range_}:\n{indent}    {statement}  # {name}"


def profiled(session: Session, folder: Path) -> Profile:
    """Take the steps, write the trace, and return the profile. Raises ArchspecError."""
    trainer, network = session.trainer, session.configuration.network
    module = trainer.module
    assert isinstance(module, Lowered)
    module.train_with(with_ranges(module.training_code))
    steps = ProfiledSteps(trainer.group.device)
    while not steps.are_done:
        trainer.steps_done = trainer.update.done = 0  # an epoch may be too short: it begins again
        trainer.run_steps(steps)
    events = steps.events()
    divided = segments(events)
    is_cuda = trainer.group.device.type == "cuda"
    lines, outside = by_lines(network.graph, device_times(divided, events) if is_cuda else durations(divided), PROFILED)
    return Profile(
        network=network.title,
        device=str(trainer.group.device),
        images=trainer.recipe.step_images(1),
        steps=PROFILED,
        plain_ms=steps.plain_seconds * MILLI / PLAIN,
        lines=lines,
        outside=outside,
        trace=str(steps.write(folder / TRACE)),
    )


class ProfiledSteps(SilentObserver):
    """An observer that stops a trainer after a few steps, of which the last ones are profiled."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.plain_seconds = 0.0
        activities = [torch.profiler.ProfilerActivity.CPU]
        if device.type == "cuda":
            activities.append(torch.profiler.ProfilerActivity.CUDA)
        self._profiler = torch.profiler.profile(activities=activities)
        self._window = record_function(WINDOW)
        self._taken = 0

    @property
    def are_done(self) -> bool:
        """Whether all steps have been taken."""
        return self._taken > WARM_UP + PLAIN + PROFILED

    def requests(self, steps_done: int) -> Requests:  # noqa: ARG002
        """See TrainingObserver. It is asked before each step, after its images have come."""
        if self._taken == WARM_UP:
            self.plain_seconds = -self._seconds()
        elif self._taken == WARM_UP + PLAIN:
            self.plain_seconds += self._seconds()
            self._profiler.start()
            self._window.__enter__()
        elif self._taken == WARM_UP + PLAIN + PROFILED:
            self._seconds()
            self._window.__exit__(None, None, None)
            self._profiler.stop()
        self._taken += 1
        return Requests(stop=self.are_done)

    def events(self) -> list[Event]:
        """Return what was recorded on the CPU, with the time of its kernels."""
        found: Any = self._profiler.events()
        return [
            Event(
                one.name,
                one.time_range.start,
                one.time_range.end,
                one.sequence_nr,
                sum(kernel.duration for kernel in one.kernels),
            )
            for one in found
            if one.device_type.name == "CPU" and not one.is_async
        ]

    def write(self, path: Path) -> Path:
        """Write torch's trace. Raises ArchspecError."""
        with TemporaryDirectory() as folder:
            whole = Path(folder) / TRACE
            self._profiler.export_chrome_trace(str(whole))
            replace_file(path, whole.read_bytes())
        return path

    def _seconds(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
