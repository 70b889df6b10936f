"""Counting correct and wrong classifications, batch by batch.

In: scores of classes and true classes. Out: an `Evaluation`. What was counted is in two tensors, which several
processes can join.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from archspec.compiler.evaluation.confusion import Cell, Evaluation

FIRST = 5


class Tally:
    """Counts so far: in `among` [C], the images of each class that have it among five guesses."""

    def __init__(self, class_names: Sequence[str], device: torch.device | str = "cpu") -> None:
        self.class_names = tuple(class_names)
        self.among = torch.zeros(len(self.class_names), dtype=torch.int64, device=device)
        self._pairs = [self.among[:0]]

    def add(self, scores: Tensor, classes: Tensor) -> Tensor:
        """Count a batch: scores or probabilities [B, C], classes [B]. Of equal scores the lower number comes first.

        Returns what the images were classified as, [B].
        """
        first = scores.sort(dim=1, descending=True, stable=True).indices[:, :FIRST]
        self._pairs.append(classes * len(self.class_names) + first[:, 0])
        among = classes[(first == classes[:, None]).any(1)]
        self.among.index_add_(0, among, torch.ones_like(among))
        return first[:, 0]

    @property
    def pairs(self) -> Tensor:
        """A number for each image: its class times the number of classes, plus the class that was guessed."""
        return torch.cat(self._pairs)

    def evaluation(self) -> Evaluation:
        """Return what was counted."""
        return evaluation_of(self.class_names, self.pairs, self.among)


def evaluation_of(class_names: tuple[str, ...], pairs: Tensor, among: Tensor) -> Evaluation:
    """Return the evaluation of what tallies counted."""
    found, times = pairs.cpu().unique(return_counts=True)
    rows, columns = found.div(len(class_names), rounding_mode="floor"), found % len(class_names)
    cells = zip(rows.tolist(), columns.tolist(), times.tolist(), strict=True)
    return Evaluation(class_names, tuple(Cell(*cell) for cell in cells), tuple(among.tolist()))
