"""Image files in batches: decoded, cropped, resized to the input, and varied.

In: paths and the recipe. Out: bytes [B, C, H, W]. JPEGs are decoded at the smallest of their own sizes that is large
enough (Pillow's draft mode): most of a data loader's work is decoding pixels that are then thrown away.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, ImageEnhance, ImageOps
from torch import Tensor

from archspec.compiler.data.augmentation.boxes import Box, crop_box, cropped
from archspec.compiler.data.augmentation.randaugment import randaugmented
from archspec.compiler.data.damaged import most_damaged
from archspec.compiler.data.dataset import Batch, Key
from archspec.compiler.data.decode import coloured, open_bitmap
from archspec.compiler.data.preprocessing import MODES, fitted, resized
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height


class Photos:
    """Image files with their classes."""

    def __init__(self, paths: Sequence[Path], classes: Tensor, volume: Volume, recipe: Recipe) -> None:
        self.paths, self.classes, self.volume, self.recipe = tuple(paths), classes, volume, recipe

    def __len__(self) -> int:
        return len(self.paths)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """Return the images of a batch."""
        images: list[Tensor] = []
        places: list[int] = []
        damaged: list[str] = []
        for first, seed in keys:
            tries = 1 + most_damaged(len(self)) if seed >= 0 else 1
            for place in (place % len(self) for place in range(first, first + tries)):
                chance = random.Random(seed) if seed >= 0 else None
                try:
                    image, box = self._decoded(self.paths[place], chance)
                except Exception:  # a decoder raises anything for a damaged file
                    damaged.append(str(self.paths[place]))
                else:
                    images.append(self._made(image, box, chance))
                    places.append(place)
                    break
        height, width, channels = self.volume
        stacked = torch.stack(images) if images else torch.empty(0, channels, height, width, dtype=torch.uint8)
        return Batch(stacked, self.classes[torch.tensor(places, dtype=torch.long)], tuple(damaged), tuple(places))

    def name(self, place: int) -> str:
        """Return an image's path."""
        return str(self.paths[place])

    def _decoded(self, path: Path, chance: random.Random | None) -> tuple[Image.Image, Box | None]:
        """Return an image, and the part of it to crop."""
        height, width, channels = self.volume
        mode = MODES[channels]
        with open_bitmap(path) as opened:
            if chance is not None:
                return _part(opened, mode, (width, height), _box_of(opened, (width, height), self.recipe, chance))
            opened.draft(mode, resized((width, height), self.recipe.eval_crop))
            ImageOps.exif_transpose(opened, in_place=True)
            return coloured(opened, mode), None

    def _made(self, image: Image.Image, box: Box | None, chance: random.Random | None) -> Tensor:
        height, width, channels = self.volume
        if chance is not None and box is not None:
            image = _varied(cropped(image, box, (width, height)), chance, self.recipe)
        else:
            image = fitted(image, (width, height), self.recipe.eval_crop)  # as `archspec run` does
        return torch.from_numpy(np.array(image)).reshape(height, width, channels).permute(2, 0, 1).contiguous()


def _upright(opened: Image.Image, size: tuple[int, int]) -> tuple[int, int]:
    """Return a width and height as they are once the image is upright, or from there as they are in the file."""
    return size[::-1] if opened.getexif().get(ExifTags.Base.Orientation, 1) in TURNED else size


def _box_of(opened: Image.Image, wanted: tuple[int, int], recipe: Recipe, chance: random.Random) -> Box:
    """Return the part of the upright image to crop."""
    return crop_box(_upright(opened, opened.size), wanted, recipe, chance)


def _part(opened: Image.Image, mode: str, wanted: tuple[int, int], box: Box) -> tuple[Image.Image, Box]:
    """Return the upright image, decoded no larger than its part needs, and that part in its pixels."""
    width, height = _upright(opened, opened.size)
    left, top, right, bottom = box
    needed = math.ceil(width * wanted[0] / (right - left)), math.ceil(height * wanted[1] / (bottom - top))
    opened.draft(mode, _upright(opened, needed))
    ImageOps.exif_transpose(opened, in_place=True)
    image = coloured(opened, mode)
    across, down = image.width / width, image.height / height
    return image, (left * across, top * down, right * across, bottom * down)


def _varied(image: Image.Image, chance: random.Random, recipe: Recipe) -> Image.Image:
    """Flip an image half of the time, vary its brightness, contrast and saturation, and apply RandAugment."""
    if recipe.flip and chance.random() < 0.5:
        image = ImageOps.mirror(image)
    if recipe.color:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(1 + recipe.color * (2 * chance.random() - 1))
    return randaugmented(image, recipe.randaugment, chance) if recipe.randaugment else image
