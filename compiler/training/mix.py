"""What is done to a whole batch on the device: cutout, mixup, cutmix.

In: normalised images [B, C, H, W], their classes, and the numbers of a step. Out: images, and for each the shares of
two classes. What a step draws depends on its seed alone.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from archspec.recipe import Recipe


@dataclass(frozen=True)
class Target:
    """What the images of a batch show: `first` by `share`, `second` by the rest; both [B]."""

    first: Tensor
    second: Tensor
    share: float = 1.0

    def loss(self, scores: Tensor, smoothing: float) -> Tensor:
        """The mean cross entropy of scores [B, classes]."""
        one = functional.cross_entropy(scores, self.first, label_smoothing=smoothing)
        if self.share == 1.0:
            return one
        other = functional.cross_entropy(scores, self.second, label_smoothing=smoothing)
        return self.share * one + (1 - self.share) * other


def mixed(images: Tensor, classes: Tensor, recipe: Recipe, seed: int) -> tuple[Tensor, Target]:
    """The batch as the recipe wants it; `images` may be overwritten. Where mixup and cutmix are both on, half of the
    steps take one, half the other."""
    chance = random.Random(seed)
    if recipe.cutout:
        _cut_out(images, recipe.cutout, chance)
    kinds = [kind for kind, alpha in (("mixup", recipe.mixup), ("cutmix", recipe.cutmix)) if alpha]
    if not kinds or len(classes) < 2:
        return images, Target(classes, classes)
    kind = chance.choice(kinds)
    alpha = recipe.mixup if kind == "mixup" else recipe.cutmix
    share = chance.betavariate(alpha, alpha)
    others, second = images.roll(1, 0), classes.roll(1)  # batches are shuffled: each image meets its neighbour
    if kind == "mixup":
        return torch.lerp(others, images, share), Target(classes, second, share)
    top, left, height, width = _box(images.shape[2:], math.sqrt(1 - share), chance)
    images[:, :, top : top + height, left : left + width] = others[:, :, top : top + height, left : left + width]
    area = height * width / (images.shape[2] * images.shape[3])
    return images, Target(classes, second, 1 - area)


def _cut_out(images: Tensor, side: float, chance: random.Random) -> None:
    """A square of each image becomes its mean; half of the square may lie outside."""
    count, _, height, width = images.shape
    size = max(1, round(side * min(height, width)))
    rows, columns = (torch.arange(length, device=images.device) for length in (height, width))
    places = [(chance.randrange(height) - size // 2, chance.randrange(width) - size // 2) for _ in range(count)]
    tops, lefts = torch.tensor(places, device=images.device).T[:, :, None]
    inside_rows, inside_columns = ((one >= low) & (one < low + size) for one, low in ((rows, tops), (columns, lefts)))
    images.masked_fill_((inside_rows[:, :, None] & inside_columns[:, None, :])[:, None], 0.0)


def _box(size: torch.Size, side: float, chance: random.Random) -> tuple[int, int, int, int]:
    """Top, left, height and width of a box around a random centre, cut off at the edges (Yun et al. 2019)."""
    height, width = size
    row, column = chance.randrange(height), chance.randrange(width)
    half_height, half_width = round(height * side) // 2, round(width * side) // 2
    top, left = max(0, row - half_height), max(0, column - half_width)
    return top, left, min(height, row + half_height) - top, min(width, column + half_width) - left
