"""The flags of `archspec eval` as a record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.compiler.evaluation.examples import Split


@dataclass(frozen=True)
class EvalFlags:
    """The flags that choose images and how they are evaluated."""

    data: Path | None
    tta: tuple[str, ...]
    eval_crop: float | None
    split: Split | None
    everything: bool
    max_damaged: tuple[float, bool] | None
    device: str
    batch: int
    workers: int | None
    threads: int | None
    quiet: bool

    @property
    def decoding_processes(self) -> int:
        """How many processes decode images."""
        from archspec.compiler.data.loader import workers_for

        return workers_for(self.workers, self.data is not None)
