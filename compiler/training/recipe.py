"""How a network is trained: every number that a run depends on.

In: flags. Out: a `Recipe`, which is stored with the weights. Rates are per step of the whole batch: images of a step,
times gradient accumulation, times processes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """A training run.

    `lr` is for a batch of `reference_batch`; the linear scaling rule adapts it (Goyal et al. 2017).
    """

    epochs: int = 30
    batch: int = 32
    accumulate: int = 1
    optimizer: str = "sgd"
    lr: float = 0.02
    reference_batch: int = 32
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    warmup: float = 1.0  # epochs
    label_smoothing: float = 0.0
    flip: bool = False
    crop: float = 1.125  # how much larger than the input a training image is, before it is cropped at random
    jitter: float = 0.0  # of brightness, contrast and saturation
    amp: str = "off"
    seed: int = 0

    def scaled_lr(self, processes: int) -> float:
        """The rate for the batch of this run."""
        return self.lr * self.batch * self.accumulate * processes / self.reference_batch

    def to_dict(self) -> dict[str, Any]:
        """As data."""
        return asdict(self)
