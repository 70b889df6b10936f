"""How a run ended: what `summary.json` and `--json` say.

In: the last evaluation. Out: records, and plain data.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from archspec.diagnostics.findings import Diagnostic, listed
from archspec.recipe import Recipe


@dataclass(frozen=True)
class RunSummary:
    """A finished run. `top1`, `top5` and `best_top1` are shares of the held-out images; `loss` is their mean."""

    network: str
    top1: float
    top5: float
    loss: float
    images: int  # held out
    right: int
    best_top1: float  # of all epochs
    classes: int
    epochs: int
    seconds: float
    skipped_steps: int
    damaged_images: tuple[str, ...]
    recipe: Recipe
    out: str  # the folder; empty in all processes but the first
    memory_predicted: int  # bytes of a step's tensors in float32, per process
    memory_measured: int | None  # bytes, see `memory_measured_is`; None where the system does not say
    memory_measured_is: str
    diagnostics: tuple[Diagnostic, ...] = ()  # about the folder of images
    stopped: ClassVar[bool] = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **vars(self),
            "damaged_images": list(self.damaged_images),
            "recipe": self.recipe.to_dict(),
            **listed(self.diagnostics),
        }


@dataclass(frozen=True)
class StoppedRun:
    """A run that was stopped and can be resumed from `out`."""

    epoch: int  # epochs done
    out: str
    stopped: ClassVar[bool] = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"stopped": True, **asdict(self)}
