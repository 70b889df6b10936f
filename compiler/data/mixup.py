"""Augmentation of whole batches on the device: cutout, mixup, cutmix.

In: normalised images [B, C, H, W], their classes, and the seed of a step. Out: images, and for each the shares of two
classes. Everything drawn depends on the seed alone. Each process and each part of a step draws its own shares, so with
mixup or cutmix a run on two processes differs from a run on one.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from archspec.recipe import Recipe


@dataclass(frozen=True)
class Target:
    """The classes of a batch: `first` with weight `share`, `second` with the rest, all [B]; without `second`, `first`
    alone."""

    first: Tensor
    second: Tensor | None = None
    share: Tensor | None = None

    def loss(self, scores: Tensor, smoothing: float, weights: Tensor | None = None) -> Tensor:
        """Return the mean cross entropy of scores [B, classes], each class times its weight [classes].

        The mean is over images: torch's own divides by the weights of the batch, so that it would depend on how the
        images of a step are split into batches.
        """
        if weights is None and (self.second is None or self.share is None):
            return functional.cross_entropy(scores, self.first, label_smoothing=smoothing)
        each = partial(functional.cross_entropy, scores, weight=weights, label_smoothing=smoothing, reduction="none")
        if self.second is None or self.share is None:
            return each(self.first).mean()
        return torch.lerp(each(self.second), each(self.first), self.share).mean()

    def seen(self, scores: Tensor, loss: Tensor) -> Tensor:
        """Return the sum of the losses, the number of correct first guesses, and that of images, in float64."""
        count = torch.full_like(loss, len(self.first), dtype=torch.float64)
        right = (scores.argmax(1) == self.first).sum(dtype=torch.float64)
        return torch.stack([loss * count, right, count])

    def packed(self) -> Tensor:
        """Return all as one tensor [B, 3], which a pipeline can split."""
        second = self.first if self.second is None else self.second
        share = torch.ones_like(self.first) if self.share is None else self.share
        return torch.stack([self.first.double(), second.double(), share.double()], 1)

    @classmethod
    def unpacked(cls, packed: Tensor) -> Target:
        """Read what `packed` returned."""
        return cls(packed[:, 0].long(), packed[:, 1].long(), packed[:, 2].float())


def mixed(images: Tensor, classes: Tensor, recipe: Recipe, seed: int) -> tuple[Tensor, Target]:
    """Augment a batch as the recipe says; `images` may be overwritten. With both mixup and cutmix, each step takes one
    of them at random."""
    kinds = [kind for kind, alpha in (("mixup", recipe.mixup), ("cutmix", recipe.cutmix)) if alpha]
    if not (kinds or recipe.cutout):
        return images, Target(classes)
    chance = random.Random(seed)
    if recipe.cutout:
        _cut_out(images, recipe.cutout, chance)
    if not kinds or len(classes) < 2:
        return images, Target(classes)
    kind = chance.choice(kinds)
    alpha = recipe.mixup if kind == "mixup" else recipe.cutmix
    share = chance.betavariate(alpha, alpha)
    others, second = images.roll(1, 0), classes.roll(1)  # batches are shuffled, so the neighbour is a random image
    if kind == "mixup":
        return torch.lerp(others, images, share), _shared(classes, second, share)
    top, left, height, width = _box(images.shape[2:], math.sqrt(1 - share), chance)
    images[:, :, top : top + height, left : left + width] = others[:, :, top : top + height, left : left + width]
    area = height * width / (images.shape[2] * images.shape[3])
    return images, _shared(classes, second, 1 - area)


def _shared(first: Tensor, second: Tensor, share: float) -> Target:
    return Target(first, second, torch.full_like(first, share, dtype=torch.float32))


def _cut_out(images: Tensor, side: float, chance: random.Random) -> None:
    """Set a square of each image to 0, the mean; up to half of its side may lie outside."""
    count, _, height, width = images.shape
    size = max(1, round(side * min(height, width)))
    rows, columns = (torch.arange(length, device=images.device) for length in (height, width))
    places = [(chance.randrange(height) - size // 2, chance.randrange(width) - size // 2) for _ in range(count)]
    tops, lefts = torch.tensor(places, device=images.device).T[:, :, None]
    inside_rows, inside_columns = ((one >= low) & (one < low + size) for one, low in ((rows, tops), (columns, lefts)))
    images.masked_fill_((inside_rows[:, :, None] & inside_columns[:, None, :])[:, None], 0.0)


def _box(size: torch.Size, side: float, chance: random.Random) -> tuple[int, int, int, int]:
    """Return top, left, height and width of a box around a random centre, clipped at the edges (Yun et al. 2019)."""
    height, width = size
    row, column = chance.randrange(height), chance.randrange(width)
    half_height, half_width = round(height * side) // 2, round(width * side) // 2
    top, left = max(0, row - half_height), max(0, column - half_width)
    return top, left, min(height, row + half_height) - top, min(width, column + half_width) - left
