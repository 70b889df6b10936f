"""The confusion matrix, and what follows from it: accuracy, results by class, the most frequent confusions.

In: a matrix of counts with a row for each true class and a column for each predicted one. Out: an `Evaluation`. Knows
no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClassResult:
    """One class: its images, how many were right first and among the first five, and its most frequent confusion."""

    name: str
    images: int
    right: int
    right_in_5: int
    confused_with: str | None = None
    confused: int = 0

    @property
    def top1(self) -> float | None:
        """The share that was right, or None for a class without images."""
        return self.right / self.images if self.images else None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return {
            "class": self.name,
            "images": self.images,
            "right": self.right,
            "top1": self.top1,
            "right_in_5": self.right_in_5,
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


@dataclass(frozen=True)
class Evaluation:
    """The result on a set of images. `right_in_5` counts, by class, the images whose class is among the first five."""

    class_names: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    right_in_5: tuple[int, ...]

    @property
    def images(self) -> int:
        """The number of images."""
        return sum(map(sum, self.matrix))

    @property
    def right(self) -> int:
        """The number of images whose class is the first guess."""
        return sum(row[number] for number, row in enumerate(self.matrix))

    @property
    def top1(self) -> float:
        """The share whose class is the first guess."""
        return self.right / max(1, self.images)

    @property
    def top5(self) -> float:
        """The share whose class is among the first five."""
        return sum(self.right_in_5) / max(1, self.images)

    def classes(self) -> Iterator[ClassResult]:
        """Yield the result of each class."""
        for number, (name, row) in enumerate(zip(self.class_names, self.matrix, strict=True)):
            others = [(times, -other) for other, times in enumerate(row) if other != number]
            times, other = max(others, default=(0, 0))
            confused_with = self.class_names[-other] if times else None
            yield ClassResult(name, sum(row), row[number], self.right_in_5[number], confused_with, times)

    def confusions(self, most: int) -> list[Confusion]:
        """Return the most frequent confusions, at most `most`."""
        found = []
        for number, row in enumerate(self.matrix):
            images = sum(row)
            found += [
                Confusion(self.class_names[number], self.class_names[other], times, times / images)
                for other, times in enumerate(row)
                if times and other != number
            ]
        return sorted(found, key=lambda one: -one.times)[:most]

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        return {
            "images": self.images,
            "right": self.right,
            "top1": self.top1,
            "right_in_5": sum(self.right_in_5),
            "top5": self.top5,
            "classes": [one.to_dict() for one in self.classes()],
            "matrix": self.matrix,
        }
