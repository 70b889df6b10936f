"""The most confident mistakes: images with the highest probability of a wrong class.

In: scores of classes, true classes, guesses, batch by batch. Out: a few `ConfidentMistake`s, found on the device
without waiting for it. Knows no pixels and no files.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

MOST = 12
RIGHT = -1.0  # the place of a probability, for an image that was classified correctly
COLUMNS = 4  # probability, number of the image, its class, the guess


class ConfidentMistake(NamedTuple):
    """The image with number `place`, of class `true`, was classified as `predicted`."""

    place: int
    true: int
    predicted: int
    probability: float


class ConfidentMistakes:
    """The `MOST` most confident mistakes so far, as rows of numbers [<= MOST, 4] on the device."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.rows = torch.empty(0, COLUMNS, dtype=torch.float64, device=device)

    def add(self, scores: Tensor, classes: Tensor, guesses: Tensor, places: tuple[int, ...]) -> None:
        """Look at a batch: scores [B, C], classes [B], guesses [B], and the numbers of the images."""
        shares = scores.double().softmax(1).gather(1, guesses[:, None])[:, 0]
        shares = shares.masked_fill((guesses == classes) | shares.isnan(), RIGHT)
        numbers = torch.tensor(places, dtype=torch.float64).to(scores.device, non_blocking=True)
        found = torch.stack([shares, numbers, classes.double(), guesses.double()], 1)
        self.rows = _most(torch.cat([self.rows, found]))


def mistakes_of(rows: Tensor) -> tuple[ConfidentMistake, ...]:
    """Return the most confident mistakes of all rows, also those of several processes, on the CPU."""
    found = [
        ConfidentMistake(int(place), int(true), int(predicted), share)
        for share, place, true, predicted in rows.tolist()
        if share != RIGHT
    ]
    return tuple(sorted(found, key=lambda one: (-one.probability, one.place))[:MOST])


def _most(rows: Tensor) -> Tensor:
    return rows[rows[:, 0].topk(min(MOST, len(rows))).indices]
