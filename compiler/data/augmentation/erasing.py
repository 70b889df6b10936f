"""Parts of images that are erased: cutout and random erasing.

In: normalised images [B, C, H, W], changed in place, and random numbers for each.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import torch
from torch import Tensor

AREAS = (0.02, 1 / 3)  # of what random erasing erases, in images; the paper's largest is 0.4, timm's a third
RATIOS = (0.3, 1 / 0.3)  # its height to its width
TRIES = 10


def cut_out(images: Tensor, side: float, chances: Sequence[random.Random]) -> None:
    """Set a square of each image to 0, the mean; up to half of its side may lie outside (DeVries & Taylor 2017)."""
    height, width = images.shape[2:]
    size = max(1, round(side * min(height, width)))
    places = [(chance.randrange(height) - size // 2, chance.randrange(width) - size // 2) for chance in chances]
    inside = within([(top, left, size, size) for top, left in places], images)
    images.masked_fill_(inside, 0.0)


def within(boxes: Sequence[tuple[int, int, int, int]], images: Tensor) -> Tensor:
    """Return which pixels lie in the box of each image, [B, 1, H, W]; a box is top, left, height and width."""
    tops, lefts, heights, widths = torch.tensor(boxes, device=images.device).T[:, :, None]
    rows, columns = (torch.arange(length, device=images.device) for length in images.shape[2:])
    inside_rows, inside_columns = (
        (rows >= tops) & (rows < tops + heights),
        (columns >= lefts) & (columns < lefts + widths),
    )
    found: Tensor = (inside_rows[:, :, None] & inside_columns[:, None, :])[:, None]
    return found


def erase(images: Tensor, likelihood: float, chances: Sequence[random.Random]) -> None:
    """Replace a box of some images by normal noise (Zhong et al. 2017, as timm's mode `pixel`)."""
    for image, chance in zip(images, chances, strict=True):
        if chance.random() >= likelihood or (box := _erased_box(image, chance)) is None:
            continue
        top, left, height, width = box
        generator = torch.Generator().manual_seed(chance.getrandbits(60))  # on the CPU: equal on every device
        noise = torch.randn(len(image), height, width, generator=generator)
        image[:, top : top + height, left : left + width] = noise.to(image.device)


def _erased_box(image: Tensor, chance: random.Random) -> tuple[int, int, int, int] | None:
    """Return top, left, height and width of a box inside an image, or None if none of the tries fits."""
    rows, columns = image.shape[1:]
    for _ in range(TRIES):
        area = rows * columns * chance.uniform(*AREAS)
        ratio = math.exp(chance.uniform(*map(math.log, RATIOS)))
        height, width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < height < rows and 0 < width < columns:
            return chance.randint(0, rows - height), chance.randint(0, columns - width), height, width
    return None
