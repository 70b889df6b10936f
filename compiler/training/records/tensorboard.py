"""TensorBoard, if it is installed: the figures of each epoch.

In: a run's folder. Out: an event file beside its metrics, by torch's SummaryWriter. Without the package nothing is
written; metrics.csv has the same figures.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archspec.compiler.training.records.epoch_figures import EpochFigures
from archspec.diagnostics.errors import failure


class ScalarWriter:
    """Writes the figures of epochs as scalars; without a folder, or without TensorBoard, it writes nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder if find_spec("tensorboard") is not None else None
        self.writer: Any = None  # from the end of the first epoch on: its import takes a while

    def add(self, figures: EpochFigures) -> None:
        """Write every figure but the epoch, which is the step of the others. Raises ArchspecError."""
        if self.folder is None:
            return
        from torch.utils.tensorboard import SummaryWriter

        try:
            self.writer = self.writer or SummaryWriter(str(self.folder))
            for name, value in figures.to_dict().items():
                if name != "epoch":
                    self.writer.add_scalar(name, value, figures.epoch)
            self.writer.flush()
        except OSError as error:
            raise failure("E422", f"cannot write into `{self.folder}`: {error.strerror or error}") from None
