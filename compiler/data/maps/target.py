"""What a batch of masks asks of a network: the loss and the right guesses over their pixels.

In: classes [B, H, W], scores [B, C, H, W]. Out: numbers on the device. Pixels that are ignored count nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from archspec.compiler.data.maps.masks import IGNORED


@dataclass(frozen=True)
class MapTarget:
    """The classes of the pixels of a batch [B, H, W].

    `pixels` is the mean number of pixels that count in a batch of the step, over all its batches and processes: with
    it, the mean of the batches' losses is the mean over all pixels of the step, however it is divided.
    """

    classes: Tensor
    pixels: Tensor

    def loss(self, scores: Tensor, smoothing: float, weights: Tensor | None = None) -> Tensor:
        """Return this batch's part of the mean cross entropy of pixels, each class times its weight [classes]."""
        return pixel_losses(scores, self.classes, smoothing, weights).sum() / self.pixels

    def seen(self, scores: Tensor, loss: Tensor, *others: Tensor) -> Tensor:
        """Return the sum of the losses, the number of right pixels, and that of those that count, in float64.

        Then the sums of the other losses.
        """
        counted = self.classes != IGNORED
        right = ((scores.argmax(1) == self.classes) & counted).sum()
        sums = [one.double() * self.pixels for one in (loss, *others)]
        return torch.stack([sums[0], right.double(), counted.sum().double(), *sums[1:]])


def pixel_losses(scores: Tensor, classes: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Return the cross entropy of each pixel [B, H, W], 0 for those that are ignored."""
    return functional.cross_entropy(
        scores, classes, weights, ignore_index=IGNORED, label_smoothing=smoothing, reduction="none"
    )


def counted_pixels(classes: Tensor) -> int:
    """Return how many pixels count."""
    return int((classes != IGNORED).sum())
