"""How a network is trained: every number that a run depends on.

In: a spec's `train` section (see `resolve`), what was chosen for the images, and flags. Out: a `Recipe`, stored with
the weights. A section's learning rate belongs to a batch size, and is scaled to that of the run (Goyal et al. 2017,
the linear scaling rule). Times are epochs; when `--epochs` changes their number, warm-up, milestones and patience keep
their shares of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.record import Record, replace

SCHEDULES = ("constant", "cosine", "linear", "step", "plateau", "exponential")
AMP = ("off", "bf16", "fp16")
FINE_TUNE = 0.1  # of the learning rate, so that what was learned is kept
SAMPLINGS = ("shuffled", "balanced")
MODES = ("scratch", "fine-tune", "linear-probe")
MOST_PAD, MOST_RANDAUGMENT, LEAST_EVAL_CROP = 64, 10.0, 0.1  # pixels, magnitude, share of the short side


class Recipe(Record):
    """A training run. `batch` is the images of one forward pass in one process, `reference_batch` those `lr` is for."""

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
    factor: float = 0.1  # by which step, plateau and exponential multiply the rate
    milestones: tuple[float, ...] = (10, 20, 80 / 3)  # of step; ResNet's 30, 60 and 80 of 90
    every: float = 1.0  # epochs between two factors of exponential
    patience: int = 5  # epochs without a lower held-out loss before plateau lowers the rate
    lr_end: float = 0.0  # of cosine and linear, for `reference_batch`
    warmup: float = 1.0  # epochs in which the rate rises linearly from 0
    head_lr: float = 0.0  # the peak rate of the classifier; 0 for that of the other layers
    layer_decay: float = 1.0  # of the rate from each depth to the one below (Bao et al. 2021)
    freeze: tuple[str, ...] = ()  # patterns of the names of layers that are not trained
    losses: tuple[tuple[str, float], ...] = ()  # labels and weights; without any, the only output has weight 1
    label_smoothing: float = 0.0
    clip: float = 0.0  # the largest norm of all gradients together; 0 for no limit
    ema: float = 0.0  # the decay of an average of the weights; 0 for none
    sampling: str = "shuffled"  # balanced: in each epoch as many images of one class as of another
    class_weights: str = ""  # in the loss: balanced, or name=weight,...; empty for none
    flip: bool = False
    crop: float = 1.125  # crops of the input's size anywhere in images whose short side is this many times the input's
    area: float = 0.0  # resized crops of at least this share of the image (Szegedy et al. 2015); 0 for none
    scale: tuple[float, ...] = ()  # range of the short side, in sides of the input, before a crop
    pad: int = 0  # black pixels of the input around an image, before a crop (He et al. 2015, on CIFAR-10)
    color: float = 0.0  # jitter of brightness, contrast and saturation
    cutout: float = 0.0  # the side of a blank square, in sides of the input (DeVries & Taylor 2017)
    randaugment: float = 0.0  # the magnitude of two random operations, up to 10 (Cubuk et al. 2019); 0 for none
    erasing: float = 0.0  # how likely a part of an image is replaced by noise (Zhong et al. 2017)
    mixup: float = 0.0  # alpha of the shares of two blended images (Zhang et al. 2018)
    cutmix: float = 0.0  # alpha of the area pasted from another image (Yun et al. 2019)
    eval_crop: float = 1.0  # the share of the short side that the network sees when it is evaluated
    amp: str = "off"
    channels_last: bool = False
    compile: bool = False
    sync_bn: bool = False  # batch statistics over all processes
    threads: int = 0  # of each process on the CPU; 0 for torch's own number
    checkpoint: bool = False  # recompute activations in the backward pass (Chen et al. 2016)
    mode: str = "scratch"
    seed: int = 0

    def scaled_lr(self, processes: int) -> float:
        """Return the peak learning rate for the images of this run's steps."""
        return self.lr * self.scale_of_lr(processes)

    def scale_of_lr(self, processes: int) -> float:
        """Return the factor of all learning rates of this run."""
        return self.step_images(processes) / self.reference_batch

    def step_images(self, processes: int) -> int:
        """Return the images of one step, over all processes."""
        return self.batch * self.accumulate * processes

    def changed(self, changes: Mapping[str, Any]) -> Recipe:
        """Return the recipe with other values, unless they are given too: what is counted in epochs is rescaled with
        `epochs`, another optimiser has its own rate and decays, and one way to crop replaces another."""
        share = changes.get("epochs", self.epochs) / self.epochs
        along: dict[str, Any] = {
            "warmup": self.warmup * share,
            "every": self.every * share,
            "milestones": tuple(point * share for point in self.milestones),
            "patience": max(1, round(self.patience * share)),
        }
        if (optimizer := changes.get("optimizer", self.optimizer)) != self.optimizer:
            along |= OPTIMIZER_DEFAULTS[optimizer]
        along["lr_end"] = self.lr_end * {"lr": self.lr, **along, **changes}["lr"] / self.lr
        crops: dict[str, Any] = {"crop": 1.0, "area": 0.0, "scale": (), "pad": 0}
        return replace(self, **{**along, **(crops if crops.keys() & changes.keys() else {}), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {field: getattr(self, field) for field in self._fields}


# what belongs to an optimiser: its rate for a number of images, its momentum or betas, its decays
_OF_SGD = ("lr", "reference_batch", "momentum", "nesterov", "weight_decay")
OPTIMIZER_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "sgd": {name: getattr(Recipe(), name) for name in _OF_SGD},
    "adamw": {"lr": 5e-4, "reference_batch": 32, "momentum": 0.9, "beta2": 0.999, "weight_decay": 0.05},
    "rmsprop": {  # EfficientNet's
        "lr": 2e-3,
        "reference_batch": 32,
        "momentum": 0.9,
        "beta2": 0.9,
        "eps": 1e-3,
        "weight_decay": 1e-5,
    },
}
OPTIMIZERS = tuple(OPTIMIZER_DEFAULTS)


def from_dict(data: Mapping[str, Any]) -> Recipe:
    """Return the recipe of `to_dict`, also from JSON. Raises TypeError for other data."""
    return replace(Recipe(), **{name: _frozen(one) for name, one in data.items()})


def _frozen(value: Any) -> Any:
    """Return a value with tuples in the place of lists, and of lists in them."""
    if not isinstance(value, list):
        return value
    return tuple(tuple(one) if isinstance(one, list) else one for one in value)
