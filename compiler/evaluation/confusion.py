"""What images were taken for: counts, and what follows from them.

In: a matrix of counts, a row for each class that images are of, a column for each that they were taken for. Out: an
`Evaluation`. Knows no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClassResult:
    """One class: its images, how many were right first and among the first five, and what the others were taken for."""

    name: str
    images: int
    right: int
    right_in_5: int
    mistaken_for: str | None = None
    mistaken: int = 0

    @property
    def top1(self) -> float | None:
        """The share that was right; nothing for a class without images."""
        return self.right / self.images if self.images else None

    def to_dict(self) -> dict[str, Any]:
        """As data."""
        return {
            "class": self.name,
            "images": self.images,
            "right": self.right,
            "top1": self.top1,
            "right_in_5": self.right_in_5,
            "mistaken_for": self.mistaken_for,
            "mistaken": self.mistaken,
        }


@dataclass(frozen=True)
class Confusion:
    """`times` images of one class, a `share` of its images, were taken for another."""

    name: str
    taken_for: str
    times: int
    share: float


@dataclass(frozen=True)
class Evaluation:
    """Every image counted once. `right_in_5` counts, class by class, those whose class is among the first five."""

    class_names: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    right_in_5: tuple[int, ...]

    @property
    def images(self) -> int:
        """How many there were."""
        return sum(map(sum, self.matrix))

    @property
    def right(self) -> int:
        """How many were right."""
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
        """Each class by itself."""
        for number, (name, row) in enumerate(zip(self.class_names, self.matrix, strict=True)):
            others = [(times, -other) for other, times in enumerate(row) if other != number]
            times, other = max(others, default=(0, 0))
            taken_for = self.class_names[-other] if times else None
            yield ClassResult(name, sum(row), row[number], self.right_in_5[number], taken_for, times)

    def confusions(self, most: int) -> list[Confusion]:
        """The most frequent ones, at most so many."""
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
        """As data."""
        return {
            "images": self.images,
            "right": self.right,
            "top1": self.top1,
            "right_in_5": sum(self.right_in_5),
            "top5": self.top5,
            "classes": [one.to_dict() for one in self.classes()],
            "matrix": self.matrix,
        }
