"""Counting right and wrong pixels, batch by batch, and keeping a few predictions to look at.

In: scores of pixels [B, C, H, W] and classes [B, H, W]. Out: counts [C, C] and rows of numbers on the device, which
several processes can join.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from archspec.compiler.data.maps.masks import IGNORED

MOST = 6  # predictions of a kind that are kept
SAMPLED = 2.0  # the rank of a sample, above all shares of wrong pixels


class PixelTally:
    """How many pixels of each class [C, true, predicted] were classified as which, and the number of images."""

    def __init__(self, classes: int, device: torch.device | str = "cpu") -> None:
        self.counts = torch.zeros(classes, classes, dtype=torch.int64, device=device)
        self.images = 0

    def add(self, guesses: Tensor, classes: Tensor) -> None:
        """Count a batch: guesses and classes [B, H, W]."""
        number = len(self.counts)
        counted = classes != IGNORED
        pairs = classes[counted] * number + guesses[counted]
        self.counts += torch.bincount(pairs, minlength=number * number).view(number, number)
        self.images += len(classes)


class ShownMap(NamedTuple):
    """A prediction [H, W] for the image with number `place`, and the share of its pixels that are wrong."""

    place: int
    wrong: float
    is_sample: bool
    guesses: Tensor


class ShownMaps:
    """Predictions to look at: of a few images spread over all, and of those with the most wrong pixels.

    `rows` [<= 2 x MOST, 3 + H x W] has a rank, the share of wrong pixels and the number of an image, then its guesses.
    """

    def __init__(self, images: int, height: int, width: int, device: torch.device | str = "cpu") -> None:
        self.samples = torch.tensor(sample_places(images), device=device)
        self.rows = torch.empty(0, 3 + height * width, dtype=torch.float32, device=device)

    def add(self, guesses: Tensor, classes: Tensor, places: tuple[int, ...]) -> None:
        """Look at a batch: guesses and classes [B, H, W], and the numbers of the images."""
        counted = classes != IGNORED
        wrong = ((guesses != classes) & counted).sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)
        numbers = torch.tensor(places, device=classes.device)
        rank = torch.where(torch.isin(numbers, self.samples), SAMPLED, wrong)
        found = torch.cat([rank[:, None], wrong[:, None], numbers[:, None].float(), guesses.flatten(1).float()], 1)
        self.rows = _highest(torch.cat([self.rows, found]))


def sample_places(images: int) -> list[int]:
    """Return the numbers of a few images spread over all.

    >>> sample_places(3), sample_places(60)
    ([0, 1, 2], [0, 10, 20, 30, 40, 50])
    """
    return sorted({place * images // MOST for place in range(min(MOST, images))} if images >= MOST else range(images))


def shown_maps(rows: Tensor, height: int, width: int) -> tuple[ShownMap, ...]:
    """Return the samples by their numbers, then the worst, of all rows, also those of several processes."""
    found = [
        ShownMap(int(row[2]), float(row[1]), float(row[0]) == SAMPLED, row[3:].view(height, width).to(torch.uint8))
        for row in rows.cpu()
    ]
    samples = sorted((one for one in found if one.is_sample), key=lambda one: one.place)
    others = sorted((one for one in found if not one.is_sample and one.wrong), key=lambda one: (-one.wrong, one.place))
    return (*samples, *others[:MOST])


def guesses_of(scores: Tensor) -> Tensor:
    """Return the class with the highest score of each pixel [B, H, W]; of equal ones the first."""
    return scores.argmax(1)


def _highest(rows: Tensor) -> Tensor:
    """Return the rows of highest rank. Of equal ranks the image with the lower number is kept, whatever the batches."""
    order = torch.argsort(rows[:, 2], stable=True)
    rows = rows[order]
    return rows[torch.argsort(rows[:, 0], descending=True, stable=True)[: 2 * MOST]]
