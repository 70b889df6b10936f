"""The figures of an epoch. They stand here once: the files of a run, its page and TensorBoard take their columns
from the fields.

In: what a trainer measured. Out: records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, NamedTuple

from archspec.diagnostics.findings import shown


class StepFigures(NamedTuple):
    """The figures of an epoch's steps, as in EpochFigures."""

    lr: float
    loss: float
    train_top1: float
    images_per_second: float
    data_wait: float


@dataclass(frozen=True, kw_only=True)
class EpochFigures:
    """What is measured in an epoch, in the order of the columns.

    Losses are mean cross-entropies in nats per image; top-1, top-5, `data_wait` and `mfu` are shares from 0 to 1.
    """

    epoch: int  # from 1
    lr: float  # the learning rate of the last step
    loss: float  # on the training images as they were augmented, while the weights changed
    train_top1: float  # on the same images
    held_out_loss: float
    top1: float  # on the held-out images
    top5: float  # on the held-out images
    images_per_second: float  # in training, over all processes
    data_wait: float  # of the training time, spent waiting for images
    tflops: float | None = None  # 10^12 floating-point operations a second, per process
    mfu: float | None = None  # of the GPU's peak; None if the peak is unknown
    skipped: int  # steps that were not finite, since the start of the run
    damaged: int  # images that cannot be read, since the start of the run
    seconds: float  # including the evaluation

    def to_dict(self) -> dict[str, float]:
        """Return the figures that are known, by column."""
        values = {name: getattr(self, name) for name in COLUMNS}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> EpochFigures:
        """Return the record of a dict. Raises ValueError for other columns, and for what is not a number."""
        required = {field.name for field in fields(cls) if field.default is MISSING}
        if missing := required - row.keys():
            raise ValueError(f"an epoch lacks `{min(missing)}`")
        if unknown := row.keys() - set(COLUMNS):
            raise ValueError(f"an epoch has the unknown figure {shown(min(unknown, key=str))}")
        found = cls(**row)
        for field in fields(cls):
            value = getattr(found, field.name)
            is_count, is_unknown = field.name == "epoch", value is None and "None" in str(field.type)
            if not is_unknown and (isinstance(value, bool) or not isinstance(value, int if is_count else int | float)):
                expected = "an integer" if is_count else "a number"
                raise ValueError(f"`{field.name}` of an epoch is {shown(value)}; expected {expected}")
        return found


COLUMNS = tuple(field.name for field in fields(EpochFigures))
