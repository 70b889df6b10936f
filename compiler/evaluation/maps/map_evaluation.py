"""The result on images whose pixels have classes: pixel accuracy and intersection over union.

In: how many pixels of each class were classified as which. Out: a `MapEvaluation`. Knows no network.

The intersection over union of a class is, over all pixels of all images together, n_cc / (t_c + p_c - n_cc): pixels of
the class that were classified as it, over those that are of it or were classified as it (Everingham et al. 2010). Mean
IoU is the mean over classes (Long et al. 2015, section 5). A class without any such pixel, in the masks and in the
predictions, has no IoU and is left out of the mean; one that is only predicted has an IoU of 0. Ignored pixels count
nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PixelClass:
    """One class: its pixels, those classified as it, and those where both hold."""

    name: str
    pixels: int
    predicted: int
    right: int

    @property
    def iou(self) -> float | None:
        """The intersection over union, or None for a class without pixels in masks and predictions."""
        union = self.pixels + self.predicted - self.right
        return self.right / union if union else None

    @property
    def recall(self) -> float | None:
        """The share of its pixels that were right, or None for a class without pixels."""
        return self.right / self.pixels if self.pixels else None

    @property
    def precision(self) -> float | None:
        """The share of what was classified as this class that is of it, or None if nothing was."""
        return self.right / self.predicted if self.predicted else None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return {
            "class": self.name,
            "pixels": self.pixels,
            "predicted": self.predicted,
            "right": self.right,
            "iou": self.iou,
            "precision": self.precision,
            "recall": self.recall,
        }


@dataclass(frozen=True)
class MapEvaluation:
    """The result on a number of images: `matrix` has a row for each true class and a column for each predicted one."""

    class_names: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    images: int

    @classmethod
    def of(cls, class_names: Sequence[str], matrix: Sequence[Sequence[int]], images: int) -> MapEvaluation:
        """Return the evaluation of counts."""
        return cls(tuple(class_names), tuple(tuple(row) for row in matrix), images)

    @property
    def pixels(self) -> int:
        """The number of pixels that count."""
        return sum(map(sum, self.matrix))

    @property
    def right(self) -> int:
        """The number of pixels that were classified correctly."""
        return sum(row[place] for place, row in enumerate(self.matrix))

    @property
    def accuracy(self) -> float:
        """The share of pixels that were classified correctly."""
        return self.right / max(1, self.pixels)

    @property
    def mean_iou(self) -> float:
        """The mean of the classes' intersections over union; 0 if no class has one."""
        known = [one.iou for one in self.classes() if one.iou is not None]
        return sum(known) / max(1, len(known))

    @property
    def score(self) -> float:
        """What the best weights of a run are chosen by: the mean IoU."""
        return self.mean_iou

    @property
    def headline(self) -> str:
        """The result in a line."""
        accuracy = f"{100 * self.accuracy:.2f} % of {self.pixels:,} pixels of {self.images:,} held-out images"
        return f"mean IoU {100 * self.mean_iou:.2f} % ({accuracy})"

    def classes(self) -> Iterator[PixelClass]:
        """Yield the result of each class."""
        columns = list(zip(*self.matrix, strict=True))
        for place, name in enumerate(self.class_names):
            own = self.matrix[place]
            yield PixelClass(name, sum(own), sum(columns[place]), own[place])

    def epoch_figures(self, train_right: float) -> dict[str, float]:
        """Return the figures of an epoch by their columns; `train_right` is the share of the training pixels."""
        return {"train_pixel_accuracy": train_right, "pixel_accuracy": self.accuracy, "mean_iou": self.mean_iou}

    def summary(self, loss: float, best: float) -> dict[str, float | int]:
        """Return what a run's summary says of its end; `best` is the highest mean IoU of an epoch."""
        return {
            "mean_iou": self.mean_iou,
            "pixel_accuracy": self.accuracy,
            "loss": loss,
            "images": self.images,
            "pixels": self.pixels,
            "right": self.right,
            "best_mean_iou": best,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return {
            "images": self.images,
            "pixels": self.pixels,
            "right": self.right,
            "pixel_accuracy": self.accuracy,
            "mean_iou": self.mean_iou,
            "classes": [one.to_dict() for one in self.classes()],
            "matrix": [list(row) for row in self.matrix],
        }
