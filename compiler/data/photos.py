"""Image files in batches: decoded, cropped, resized to the input, and varied.

In: paths and the recipe. Out: bytes [B, C, H, W]. JPEGs are decoded at the smallest of their own sizes that is large
enough (Pillow's draft mode): most of a data loader's work is decoding pixels that are then thrown away.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

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

Item = TypeVar("Item")
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
        damaged: list[int] = []
        for place, chance, (image, box) in readable(keys, len(self), self._decoded, damaged):
            images.append(self._made(image, box, chance))
            places.append(place)
        classes = self.classes[torch.tensor(places, dtype=torch.long)]
        return Batch(stacked(images, self.volume), classes, tuple(map(self.name, damaged)), tuple(places))

    def name(self, place: int) -> str:
        """Return an image's path."""
        return str(self.paths[place])

    def augmented(self, recipe: Recipe) -> Photos:
        """Return the same images, augmented by another recipe."""
        return Photos(self.paths, self.classes, self.volume, recipe)

    def _decoded(self, place: int, chance: random.Random | None) -> tuple[Image.Image, Box | None]:
        """Return an image, and the part of it to crop."""
        height, width, channels = self.volume
        mode = MODES[channels]
        with open_bitmap(self.paths[place]) as opened:
            if chance is not None:
                box = crop_box(upright_size(opened), (width, height), self.recipe, chance)
                return part_of(opened, mode, (width, height), box)
            opened.draft(mode, resized((width, height), self.recipe.eval_crop))
            ImageOps.exif_transpose(opened, in_place=True)
            return coloured(opened, mode), None

    def _made(self, image: Image.Image, box: Box | None, chance: random.Random | None) -> Tensor:
        height, width, _ = self.volume
        if chance is not None and box is not None:
            image = cropped(image, box, (width, height))
            image = ImageOps.mirror(image) if is_flipped(self.recipe, chance) else image
            image = coloured_by(image, chance, self.recipe)
        else:
            image = fitted(image, (width, height), self.recipe.eval_crop)  # as `archspec run` does
        return pixels_of(image)


def readable(
    keys: Sequence[Key], count: int, read: Callable[[int, random.Random | None], Item], damaged: list[int]
) -> Iterator[tuple[int, random.Random | None, Item]]:
    """Yield the place, the random numbers and the content of each image that can be read, one at a time.

    An augmented image that cannot be read is replaced by the next readable one of `count`, any other is left out; both
    are added to `damaged`.
    """
    for first, seed in keys:
        tries = 1 + most_damaged(count) if seed >= 0 else 1
        for place in (place % count for place in range(first, first + tries)):
            chance = random.Random(seed) if seed >= 0 else None
            try:
                found = read(place, chance)
            except Exception:  # a decoder raises anything for a damaged file
                damaged.append(place)
            else:
                yield place, chance, found
                break


def stacked(images: Sequence[Tensor], volume: Volume) -> Tensor:
    """Return images [C, H, W] as one batch, which may be empty."""
    return torch.stack(list(images)) if images else torch.empty(0, *volume.laid_out, dtype=torch.uint8)


def pixels_of(image: Image.Image) -> Tensor:
    """Return the pixels of an image as bytes [C, H, W]."""
    pixels = torch.from_numpy(np.array(image)).reshape(image.height, image.width, -1)
    return pixels.permute(2, 0, 1).contiguous()


def upright_size(opened: Image.Image) -> tuple[int, int]:
    """Return the width and height of an image once it is upright."""
    return _upright(opened, opened.size)


def part_of(opened: Image.Image, mode: str, wanted: tuple[int, int], box: Box) -> tuple[Image.Image, Box]:
    """Return the upright image, decoded no larger than its part needs, and that part in its pixels."""
    width, height = upright_size(opened)
    left, top, right, bottom = box
    needed = math.ceil(width * wanted[0] / (right - left)), math.ceil(height * wanted[1] / (bottom - top))
    opened.draft(mode, _upright(opened, needed))
    ImageOps.exif_transpose(opened, in_place=True)
    image = coloured(opened, mode)
    across, down = image.width / width, image.height / height
    return image, (left * across, top * down, right * across, bottom * down)


def is_flipped(recipe: Recipe, chance: random.Random) -> bool:
    """Return whether an image is flipped: half of the time, if the recipe says so."""
    return recipe.flip and chance.random() < 0.5


def coloured_by(image: Image.Image, chance: random.Random, recipe: Recipe) -> Image.Image:
    """Vary an image's brightness, contrast and saturation, and apply RandAugment."""
    if recipe.color:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(1 + recipe.color * (2 * chance.random() - 1))
    return randaugmented(image, recipe.randaugment, chance) if recipe.randaugment else image


def _upright(opened: Image.Image, size: tuple[int, int]) -> tuple[int, int]:
    """Return a width and height as they are once the image is upright, or from there as they are in the file."""
    return size[::-1] if opened.getexif().get(ExifTags.Base.Orientation, 1) in TURNED else size
