"""How a run ended: what `summary.json` and `--json` say.

In: the last evaluation. Out: records, and plain data.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.maps.map_evaluation import MapEvaluation
from archspec.diagnostics.findings import Diagnostic, listed
from archspec.recipe import Recipe


@dataclass(frozen=True)
class RunSummary:
    """A finished run. `evaluation` is that of the held-out images, `loss` their mean loss."""

    network: str
    evaluation: Evaluation | MapEvaluation
    loss: float
    best: float  # the highest top-1 of all epochs, or mean IoU
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
        own = {
            name: value for name, value in vars(self).items() if name not in ("network", "evaluation", "loss", "best")
        }
        return {
            "network": self.network,
            **self.evaluation.summary(self.loss, self.best),
            **own,
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
