"""How a network is trained: every number that a run depends on.

In: what a `train` section says (`train_section.py`), and flags. Out: a `Recipe`, stored with the weights. A rate
belongs to a batch; a run with another batch scales it (Goyal et al. 2017, the linear scaling rule). Times are epochs:
where `--epochs` changes how many there are, warm-up and steps keep their shares of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.record import Record, replace

OPTIMIZERS = ("sgd", "adamw", "rmsprop")
SCHEDULES = ("constant", "cosine", "linear", "step", "plateau", "exponential")
AMP = ("off", "bf16", "fp16")
MODES = ("scratch", "fine-tune", "linear-probe")
RMS_DECAY = 0.9
FINE_TUNE = 0.1  # of the rate: what is learned already is not to be lost


class Recipe(Record):
    """A training run. `batch` is what one process takes at a time, `reference_batch` the batch that `lr` is for."""

    epochs: int = 30
    batch: int = 32
    accumulate: int = 1
    optimizer: str = "sgd"
    lr: float = 0.02
    reference_batch: int = 32
    momentum: float = 0.9  # of SGD and RMSProp; beta 1 of AdamW
    beta2: float = 0.999  # of AdamW; the decay of RMSProp's squares
    eps: float = 1e-3  # of RMSProp, under the root of the squares
    nesterov: bool = False
    weight_decay: float = 5e-4  # of weights; biases and normalisations have none
    schedule: str = "cosine"
    factor: float = 0.1  # what step, plateau and exponential multiply the rate by
    milestones: tuple[float, ...] = (10, 20, 80 / 3)  # of step; ResNet's 30, 60 and 80 of 90
    every: float = 1.0  # epochs between two factors of exponential
    patience: int = 5  # epochs without a better held-out loss, after which plateau takes its factor
    lr_end: float = 0.0  # of cosine and linear, for `reference_batch`
    warmup: float = 1.0  # epochs in which the rate rises from 0 in a line
    label_smoothing: float = 0.0
    clip: float = 0.0  # the largest norm of all gradients together; 0 for any
    ema: float = 0.0  # the decay of an average of the weights; 0 for none
    flip: bool = False
    crop: float = 1.125  # a crop of the input's size out of an image so many times as large
    area: float = 0.0  # a crop of at least this share of the image, resized (Szegedy et al. 2015); 0 for none
    scale: tuple[float, ...] = ()  # the short side, in sides of the input, from .. to, then a crop
    color: float = 0.0  # how much brightness, contrast and saturation vary
    cutout: float = 0.0  # the side of a square without pixels, in sides of the input (DeVries & Taylor 2017)
    mixup: float = 0.0  # alpha of the two images' shares (Zhang et al. 2018)
    cutmix: float = 0.0  # alpha of the area of the other image (Yun et al. 2019)
    amp: str = "off"
    channels_last: bool = False
    compile: bool = False
    mode: str = "scratch"
    seed: int = 0

    def scaled_lr(self, processes: int) -> float:
        """The rate at its height, for the batch of this run."""
        return self.lr * self.scale_of_lr(processes)

    def scale_of_lr(self, processes: int) -> float:
        """What all rates of this run are multiplied by."""
        share = self.step_images(processes) / self.reference_batch
        return share * FINE_TUNE if self.mode == "fine-tune" else share

    def step_images(self, processes: int) -> int:
        """Images of one step."""
        return self.batch * self.accumulate * processes

    def changed(self, changes: Mapping[str, Any]) -> Recipe:
        """The recipe with other values. Other epochs take what is counted in epochs along, unless it is given too, and
        one way to crop takes the place of another."""
        share = changes.get("epochs", self.epochs) / self.epochs
        along: dict[str, Any] = {
            "warmup": self.warmup * share,
            "every": self.every * share,
            "milestones": tuple(point * share for point in self.milestones),
        }
        along["lr_end"] = self.lr_end * changes.get("lr", self.lr) / self.lr
        if changes.get("optimizer") == "rmsprop" != self.optimizer:
            along["beta2"] = RMS_DECAY
        crops: dict[str, Any] = {"crop": 1.0, "area": 0.0, "scale": ()}
        return replace(self, **{**along, **(crops if crops.keys() & changes.keys() else {}), **changes})

    def to_dict(self) -> dict[str, Any]:
        """As data."""
        return {field: getattr(self, field) for field in self._fields}


def from_dict(data: Mapping[str, Any]) -> Recipe:
    """A recipe again, from JSON too. Raises TypeError for other data."""
    return replace(Recipe(), **{name: tuple(one) if isinstance(one, list) else one for name, one in data.items()})
