"""The figures of an epoch. They stand here once: the files of a run, its page and TensorBoard take their columns
from the fields.

In: what a trainer measured. Out: records.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, NamedTuple

from archspec.diagnostics.findings import shown
from archspec.graph.ir import LossTerm


class StepFigures(NamedTuple):
    """The figures of an epoch's steps, as in EpochFigures."""

    lr: float
    loss: float
    train_right: float  # the share of the training images, or of their pixels
    images_per_second: float
    data_wait: float
    losses: Mapping[str, float] | None


@dataclass(frozen=True, kw_only=True)
class EpochFigures:
    """What is measured in an epoch, in the order of the columns.

    Losses are mean cross-entropies in nats per image, or per pixel of a network whose output is a map; what is right,
    `loss` is that of the output, or the first that the recipe names; `data_wait` and `mfu` are shares from 0 to 1. An
    epoch has the figures of classes or those of maps.
    """

    epoch: int  # from 1
    lr: float  # the learning rate of the last step
    loss: float  # on the training images as they were augmented, while the weights changed
    train_top1: float | None = None  # on the same images
    train_pixel_accuracy: float | None = None  # on the same images
    held_out_loss: float
    top1: float | None = None  # on the held-out images
    top5: float | None = None  # on the held-out images
    pixel_accuracy: float | None = None  # on the held-out images
    mean_iou: float | None = None  # on the held-out images
    images_per_second: float  # in training, over all processes
    data_wait: float  # of the training time, spent waiting for images
    tflops: float | None = None  # 10^12 floating-point operations a second, per process
    mfu: float | None = None  # of the GPU's peak; None if the peak is unknown
    skipped: int  # steps that were not finite, since the start of the run
    damaged: int  # images that cannot be read, since the start of the run
    seconds: float  # including the evaluation
    losses: Mapping[str, float] | None = None  # by column, of a network with several: see `loss_columns`

    @property
    def score(self) -> float:
        """What the best epoch is chosen by: top-1, or the mean IoU."""
        found = self.top1 if self.mean_iou is None else self.mean_iou
        return math.nan if found is None else found

    def to_dict(self) -> dict[str, float]:
        """Return the figures that are known, by column."""
        values = {name: getattr(self, name) for name in COLUMNS}
        return {name: value for name, value in values.items() if value is not None} | dict(self.losses or {})

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> EpochFigures:
        """Return the record of a dict. Raises ValueError for other columns, and for what is not a number."""
        required = {field.name for field in fields(cls) if field.default is MISSING}
        required |= set(OF_MAPS if "mean_iou" in row else OF_CLASSES)
        if missing := required - row.keys():
            raise ValueError(f"an epoch lacks `{min(missing)}`")
        losses = {name: value for name, value in row.items() if name == TOTAL or str(name).startswith(OF_LOSS)}
        if unknown := row.keys() - losses.keys() - set(COLUMNS):
            raise ValueError(f"an epoch has the unknown figure {shown(min(unknown, key=str))}")
        for name, value in losses.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"`{name}` of an epoch is {shown(value)}; expected a number")
        found = cls(**{name: value for name, value in row.items() if name not in losses}, losses=losses or None)
        for field in fields(cls):
            if field.name not in COLUMNS:
                continue
            value = getattr(found, field.name)
            is_count, is_unknown = field.name == "epoch", value is None and "None" in str(field.type)
            if not is_unknown and (isinstance(value, bool) or not isinstance(value, int if is_count else int | float)):
                expected = "an integer" if is_count else "a number"
                raise ValueError(f"`{field.name}` of an epoch is {shown(value)}; expected {expected}")
        return found


COLUMNS = tuple(field.name for field in fields(EpochFigures) if field.name != "losses")
TOTAL = "total_loss"
OF_LOSS = "loss/"
OF_CLASSES = ("train_top1", "top1", "top5")
OF_MAPS = ("train_pixel_accuracy", "pixel_accuracy", "mean_iou")


def columns_of(rows: Sequence[EpochFigures]) -> tuple[str, ...]:
    """Return the columns of a run's table: those of maps only where some epoch has them, and of classes else."""
    are_maps = any(row.mean_iou is not None for row in rows)
    others = OF_CLASSES if are_maps else OF_MAPS
    own = [column for column in COLUMNS if column not in others]
    return tuple(dict.fromkeys((*own, *(column for row in rows for column in row.losses or ()))))


def loss_columns(terms: Sequence[LossTerm], means: Sequence[float]) -> dict[str, float] | None:
    """Return each loss of a network by its column, `loss/NAME`, and their weighted sum; None for a single loss."""
    if len(terms) == 1:
        return None
    found = list(zip(terms, means, strict=True))
    return {TOTAL: sum(one.weight * mean for one, mean in found)} | {OF_LOSS + one.name: mean for one, mean in found}
