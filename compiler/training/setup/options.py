"""Options of a run that do not change its result, and the context it runs in.

In: the command line's flags, the group of processes. Out: records. What does change the result is `archspec.recipe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archspec.compiler.data.loader import workers_for
from archspec.compiler.progress import Progress
from archspec.compiler.training.parallel.processes import Group


@dataclass(frozen=True)
class Options:
    """Where a run reads and writes, and how it is carried out."""

    data: Path | None = None  # a folder of images; None for the bundled digits
    out: Path | None = None
    weights: Path | None = None  # to start from
    recipe: str | None = None  # `auto` or `paper`
    is_own_spec: bool = False  # a file, not a built-in network: its `train` section is meant for these images
    device: str = "auto"
    workers: int | None = None
    quiet: bool = False
    pipeline: int = 0  # stages; 0 for none
    keep: int = 3  # checkpoints
    save_every: int = 0  # steps; 0 to save after each epoch only
    peak_tflops: float | None = None

    @property
    def loader_workers(self) -> int:
        """How many processes decode images; 0 for none but the run's own."""
        return workers_for(self.workers, self.data is not None)


class RunContext:
    """A run's options, its group of processes, and its output for people."""

    def __init__(self, options: Options, group: Group) -> None:
        self.options, self.group = options, group
        self.progress = Progress(options.quiet or not group.is_first)
        self.say = self.progress.line
