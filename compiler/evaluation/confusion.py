"""The confusion matrix, and what follows from it: accuracy, results by class, the most frequent confusions.

In: how many images of each class were classified as which. Out: an `Evaluation`, whose size grows with the classes and
the images, not with the square of the classes. Knows no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

MOST_IN_MATRIX = 100  # classes of a matrix that is written whole


@dataclass(frozen=True)
class ClassResult:
    """One class: its images, how many were right first and among the first five, and its most frequent confusion."""

    name: str
    images: int
    right: int
    right_in_5: int
    confused_with: str | None = None
    confused: int = 0
    predicted: int = 0  # images of any class that were classified as this one

    @property
    def top1(self) -> float | None:
        """The share that was right, or None for a class without images."""
        return self.right / self.images if self.images else None

    @property
    def precision(self) -> float | None:
        """The share of what was classified as this class that is of it, or None if nothing was."""
        return self.right / self.predicted if self.predicted else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall (`top1`), or None for a class without images and predictions."""
        both = self.images + self.predicted
        return 2 * self.right / both if both else None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return {
            "class": self.name,
            "images": self.images,
            "right": self.right,
            "top1": self.top1,
            "right_in_5": self.right_in_5,
            "precision": self.precision,
            "f1": self.f1,
            "mistaken_for": self.confused_with,
            "mistaken": self.confused,
        }


@dataclass(frozen=True)
class Confusion:
    """`times` images of one class, a `share` of its images, were classified as another."""

    name: str
    confused_with: str
    times: int
    share: float

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return {"class": self.name, "mistaken_for": self.confused_with, "mistaken": self.times}


class Cell(NamedTuple):
    """`times` images of the class with number `true` were classified as the class `predicted`."""

    true: int
    predicted: int
    times: int


@dataclass(frozen=True)
class Evaluation:
    """The result on a set of images. `right_in_5` counts, by class, the images whose class is among the first five.

    The confusion matrix is kept as its `cells` that are not 0, in order of rows and columns: there are at most as many
    as images, while the whole matrix of 10,000 classes has a hundred million.
    """

    class_names: tuple[str, ...]
    cells: tuple[Cell, ...]
    right_in_5: tuple[int, ...]

    @classmethod
    def of_matrix(
        cls, class_names: Sequence[str], matrix: Sequence[Sequence[int]], right_in_5: Sequence[int]
    ) -> Evaluation:
        """Return the evaluation with a whole matrix: a row for each true class, a column for each predicted one."""
        rows = enumerate(matrix)
        cells = tuple(Cell(row, column, times) for row, own in rows for column, times in enumerate(own) if times)
        return cls(tuple(class_names), cells, tuple(right_in_5))

    @cached_property
    def matrix(self) -> tuple[tuple[int, ...], ...]:
        """The whole matrix, for few classes."""
        number = len(self.class_names)
        rows = [[0] * number for _ in range(number)]
        for true, predicted, times in self.cells:
            rows[true][predicted] = times
        return tuple(map(tuple, rows))

    @cached_property
    def images_by_class(self) -> tuple[int, ...]:
        """The number of images of each class."""
        found = [0] * len(self.class_names)
        for true, _, times in self.cells:
            found[true] += times
        return tuple(found)

    @property
    def images(self) -> int:
        """The number of images."""
        return sum(self.images_by_class)

    @property
    def right(self) -> int:
        """The number of images whose class is the first guess."""
        return sum(cell.times for cell in self.cells if cell.true == cell.predicted)

    @property
    def top1(self) -> float:
        """The share whose class is the first guess."""
        return self.right / max(1, self.images)

    @property
    def top5(self) -> float:
        """The share whose class is among the first five."""
        return sum(self.right_in_5) / max(1, self.images)

    @property
    def score(self) -> float:
        """What the best weights of a run are chosen by: top-1."""
        return self.top1

    @property
    def headline(self) -> str:
        """The result in a line."""
        return f"top-1 {100 * self.top1:.2f} % ({self.right:,} of {self.images:,} held-out images)"

    def epoch_figures(self, train_right: float) -> dict[str, float]:
        """Return the figures of an epoch by their columns; `train_right` is the share of the training images."""
        return {"train_top1": train_right, "top1": self.top1, "top5": self.top5}

    def summary(self, loss: float, best: float) -> dict[str, float | int]:
        """Return what a run's summary says of its end; `best` is the highest top-1 of an epoch."""
        return {
            "top1": self.top1,
            "top5": self.top5,
            "loss": loss,
            "images": self.images,
            "right": self.right,
            "best_top1": best,
        }

    def classes(self) -> Iterator[ClassResult]:
        """Yield the result of each class."""
        number = len(self.class_names)
        right, most = [0] * number, [Cell(0, 0, 0)] * number  # the first of equally frequent confusions
        predicted = [0] * number
        for cell in self.cells:
            predicted[cell.predicted] += cell.times
            if cell.true == cell.predicted:
                right[cell.true] = cell.times
            elif cell.times > most[cell.true].times:
                most[cell.true] = cell
        for place, name in enumerate(self.class_names):
            times, images = most[place].times, self.images_by_class[place]
            confused_with = self.class_names[most[place].predicted] if times else None
            counts = right[place], self.right_in_5[place], confused_with, times, predicted[place]
            yield ClassResult(name, images, *counts)

    def confusions(self, most: int | None = None) -> list[Confusion]:
        """Return the confusions, the most frequent first, at most `most`."""
        wrong = [cell for cell in self.cells if cell.true != cell.predicted]
        names, images = self.class_names, self.images_by_class
        return [
            Confusion(names[true], names[predicted], times, times / images[true])
            for true, predicted, times in sorted(wrong, key=lambda cell: -cell.times)[:most]
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data: all confusions, and the whole matrix for up to 100 classes."""
        is_small = len(self.class_names) <= MOST_IN_MATRIX
        return {
            "images": self.images,
            "right": self.right,
            "top1": self.top1,
            "right_in_5": sum(self.right_in_5),
            "top5": self.top5,
            "classes": [one.to_dict() for one in self.classes()],
            "confusions": [one.to_dict() for one in self.confusions()],
            "matrix": self.matrix if is_small else None,
        }
