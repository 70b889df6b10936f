"""Image files in batches: decoded, cropped, flipped, colour-jittered and resized to the input.

In: paths and the recipe. Out: bytes [B, C, H, W]. Every kind of crop is one box in the file's own pixels, so that a
single antialiased resize is enough, and JPEGs are decoded at the smallest of their own sizes that is large enough
(Pillow's draft mode): most of a data loader's work is decoding pixels that are then thrown away.
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

from archspec.compiler.data.damaged import most_damaged
from archspec.compiler.data.dataset import Batch, Key
from archspec.compiler.data.decode import coloured, open_bitmap
from archspec.compiler.data.preprocessing import MODES, fitted
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

RATIOS = (3 / 4, 4 / 3)  # width to height of a resized crop
TRIES = 10
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height

Box = tuple[float, float, float, float]  # left, top, right, bottom


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
            opened.draft(mode, (width, height))
            ImageOps.exif_transpose(opened, in_place=True)
            return coloured(opened, mode), None

    def _made(self, image: Image.Image, box: Box | None, chance: random.Random | None) -> Tensor:
        height, width, channels = self.volume
        if chance is not None:
            image = _varied(image.resize((width, height), Image.Resampling.BICUBIC, box), chance, self.recipe)
        else:
            image = fitted(image, (width, height))  # as `archspec run` does
        return torch.from_numpy(np.array(image)).reshape(height, width, channels).permute(2, 0, 1).contiguous()


def covering(size: tuple[int, int], ratio: float) -> Box:
    """Return the largest centred box of a given ratio of width to height."""
    width, height = size
    wide, high = min(width, height * ratio), min(height, width / ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def _is_turned(opened: Image.Image) -> bool:
    return opened.getexif().get(ExifTags.Base.Orientation, 1) in TURNED


def _box_of(opened: Image.Image, wanted: tuple[int, int], recipe: Recipe, chance: random.Random) -> Box:
    """Return the part of the upright image to crop."""
    width, height = opened.size[::-1] if _is_turned(opened) else opened.size
    return _box((width, height), wanted, recipe, chance)


def _part(opened: Image.Image, mode: str, wanted: tuple[int, int], box: Box) -> tuple[Image.Image, Box]:
    """Return the upright image, decoded no larger than its part needs, and that part in its pixels."""
    width, height = opened.size[::-1] if _is_turned(opened) else opened.size
    left, top, right, bottom = box
    needed = math.ceil(width * wanted[0] / (right - left)), math.ceil(height * wanted[1] / (bottom - top))
    opened.draft(mode, needed[::-1] if _is_turned(opened) else needed)
    ImageOps.exif_transpose(opened, in_place=True)
    image = coloured(opened, mode)
    across, down = image.width / width, image.height / height
    return image, (left * across, top * down, min(right * across, image.width), min(bottom * down, image.height))


def _box(size: tuple[int, int], wanted: tuple[int, int], recipe: Recipe, chance: random.Random) -> Box:
    """Return the part of an image to crop, as the recipe says."""
    if recipe.area:
        return _resized_crop(size, recipe.area, chance)
    ratio = wanted[0] / wanted[1]
    left, top, right, bottom = covering(size, ratio)
    if recipe.scale:  # anywhere in an image whose short side is `zoom` times the input's
        left, top, right, bottom, zoom = 0.0, 0.0, *map(float, size), chance.uniform(*recipe.scale)
        wide, high = min(right, bottom * ratio) / zoom, min(bottom, right / ratio) / zoom
    else:
        wide, high = (right - left) / recipe.crop, (bottom - top) / recipe.crop
    left += chance.random() * (right - left - wide)
    top += chance.random() * (bottom - top - high)
    return left, top, left + wide, top + high


def _resized_crop(size: tuple[int, int], least: float, chance: random.Random) -> Box:
    """Return a box of random area and ratio (Szegedy et al. 2015)."""
    width, height = size
    for _ in range(TRIES):
        area = width * height * chance.uniform(least, 1.0)
        ratio = math.exp(chance.uniform(*map(math.log, RATIOS)))
        wide, high = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if wide <= width and high <= height:
            left, top = chance.random() * (width - wide), chance.random() * (height - high)
            return left, top, left + wide, top + high
    return covering(size, min(max(width / height, RATIOS[0]), RATIOS[1]))


def _varied(image: Image.Image, chance: random.Random, recipe: Recipe) -> Image.Image:
    """Flip an image horizontally half of the time, and vary its brightness, contrast and saturation."""
    if recipe.flip and chance.random() < 0.5:
        image = ImageOps.mirror(image)
    if recipe.color:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(1 + recipe.color * (2 * chance.random() - 1))
    return image
