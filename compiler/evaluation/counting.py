"""Counting correct and wrong classifications, batch by batch.

In: scores of classes and true classes. Out: an `Evaluation`. All counts are in one tensor of integers, which several
processes can add up.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from archspec.compiler.evaluation.confusion import Evaluation

FIRST = 5


class Tally:
    """Counts so far: in `counts`, the confusion matrix [C, C] and a column of images with their class among five."""

    def __init__(self, class_names: Sequence[str], device: torch.device | str = "cpu") -> None:
        self.class_names = tuple(class_names)
        number = len(self.class_names)
        self.counts = torch.zeros(number, number + 1, dtype=torch.int64, device=device)

    def add(self, scores: Tensor, classes: Tensor) -> None:
        """Count a batch: scores or probabilities [B, C], classes [B]. Of equal scores the lower number comes first."""
        first = scores.sort(dim=1, descending=True, stable=True).indices[:, :FIRST]
        width = self.counts.shape[1]
        places = classes * width + first[:, 0]
        among = (classes * width + width - 1)[(first == classes[:, None]).any(1)]
        both = torch.cat([places, among])
        self.counts.view(-1).index_add_(0, both, torch.ones_like(both))

    def evaluation(self) -> Evaluation:
        """Return what was counted."""
        *columns, among = self.counts.cpu().T.tolist()
        return Evaluation(self.class_names, tuple(zip(*columns, strict=True)), tuple(among))
