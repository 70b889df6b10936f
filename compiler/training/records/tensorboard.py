"""TensorBoard, if it is installed: the figures of each epoch.

In: a run's folder. Out: an event file beside its metrics. Without the package nothing is written; metrics.csv has the
same figures.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archspec.compiler.training.records.epoch_figures import EpochFigures


class ScalarWriter:
    """Writes the figures of epochs as scalars; without a folder it writes nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.writer: Any = None
        if folder is not None and find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(folder))

    def add(self, figures: EpochFigures) -> None:
        """Write every figure but the epoch, which is the step of the others."""
        if self.writer is None:
            return
        for name, value in figures.to_dict().items():
            if name != "epoch":
                self.writer.add_scalar(name, value, figures.epoch)
        self.writer.flush()
