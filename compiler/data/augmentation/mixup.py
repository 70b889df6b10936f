"""Mixtures of images on the device: mixup and cutmix.

In: normalised images [B, C, H, W], their partners, the classes of both, and random numbers for each image. Out: images,
and for each the shares of two classes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn import functional

from archspec.compiler.data.augmentation.erasing import within
from archspec.recipe import Recipe

Labelled = tuple[Tensor, Tensor]  # images and their classes
Box = tuple[int, int, int, int]  # top, left, height, width


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

    def seen(self, scores: Tensor, loss: Tensor, *others: Tensor) -> Tensor:
        """Return the sum of the losses, the number of correct first guesses, and that of images, in float64.

        Then the sums of the other losses.
        """
        count = _number(len(self.first), loss.device)
        return torch.stack(
            [loss * count, (scores.argmax(1) == self.first).sum().double(), count, *(one * count for one in others)]
        )

    def packed(self) -> Tensor:
        """Return all as one tensor [B, 3], which a pipeline can split."""
        second = self.first if self.second is None else self.second
        share = torch.ones_like(self.first) if self.share is None else self.share
        return torch.stack([self.first.double(), second.double(), share.double()], 1)

    @classmethod
    def unpacked(cls, packed: Tensor) -> Target:
        """Read what `packed` returned."""
        return cls(packed[:, 0].long(), packed[:, 1].long(), packed[:, 2].float())


@lru_cache(maxsize=64)
def _number(value: int, device: torch.device) -> Tensor:
    """Return a number that every step needs, on a device."""
    return torch.tensor(value, dtype=torch.float64, device=device)


def mixed(own: Labelled, partners: Labelled, recipe: Recipe, chances: Sequence[random.Random]) -> tuple[Tensor, Target]:
    """Mix each image with its partner. With both mixup and cutmix, each image takes one of them at random."""
    (images, classes), (others, second) = own, partners
    if not len(classes):
        return images, Target(classes)
    drawn = [_drawn(images.shape[2:], recipe, chance) for chance in chances]
    blend, shares = (  # the images may have no values: those of another stage of a pipeline
        torch.tensor(numbers, device=place.device)
        for numbers, place in zip(zip(*((a, b) for a, b, _ in drawn), strict=True), (images, classes), strict=True)
    )
    weight = blend[:, None, None, None]
    if recipe.cutmix:
        weight = weight.expand(-1, 1, *images.shape[2:]).masked_fill(within([box for *_, box in drawn], images), 0.0)
    return torch.lerp(others, images, weight), Target(classes, second, shares)


def _drawn(size: torch.Size, recipe: Recipe, chance: random.Random) -> tuple[float, float, Box]:
    """Return the weight of an image outside a box, its share of the mixture, and the box of its partner."""
    is_mixup = bool(recipe.mixup) and not (recipe.cutmix and chance.random() < 0.5)
    alpha = recipe.mixup if is_mixup else recipe.cutmix
    share = chance.betavariate(alpha, alpha)
    if is_mixup:
        return share, share, (0, 0, 0, 0)
    top, left, height, width = _box(size, math.sqrt(1 - share), chance)
    return 1.0, 1 - height * width / (size[0] * size[1]), (top, left, height, width)


def _box(size: torch.Size, side: float, chance: random.Random) -> Box:
    """Return top, left, height and width of a box around a random centre, clipped at the edges (Yun et al. 2019)."""
    height, width = size
    row, column = chance.randrange(height), chance.randrange(width)
    half_height, half_width = round(height * side) // 2, round(width * side) // 2
    top, left = max(0, row - half_height), max(0, column - half_width)
    return top, left, min(height, row + half_height) - top, min(width, column + half_width) - left
