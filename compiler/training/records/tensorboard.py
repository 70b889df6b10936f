"""TensorBoard, where it is installed: the figures of each epoch.

In: a run's folder. Out: an event file beside its metrics. Without the package nothing is written: metrics.csv has all.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any


class Board:
    """Writes scalars."""

    def __init__(self, folder: Path | None) -> None:
        self.writer: Any = None
        if folder is not None and find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(folder))

    def add(self, row: dict[str, Any]) -> None:
        """The figures of an epoch."""
        if self.writer is None:
            return
        for name, value in row.items():
            if name != "epoch":
                self.writer.add_scalar(name, value, row["epoch"])
        self.writer.flush()
