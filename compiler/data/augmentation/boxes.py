"""Which part of an image a crop shows.

In: the size of an image and of the input, the recipe, random numbers. Out: a box in the image's pixels, and the input's
pixels. Every kind of crop is one box, so that a single antialiased resize is enough.
"""

from __future__ import annotations

import math
import random

from PIL import Image

from archspec.recipe import Recipe

RATIOS = (3 / 4, 4 / 3)  # width to height of a resized crop
TRIES = 10
ROUNDING = 1e-9

Box = tuple[float, float, float, float]  # left, top, right, bottom


def crop_box(size: tuple[int, int], wanted: tuple[int, int], recipe: Recipe, chance: random.Random) -> Box:
    """Return the part of an image to crop, as the recipe says; a padded one may reach beyond the image."""
    if recipe.area:
        return resized_crop(size, recipe.area, chance)
    if recipe.pad:
        return _padded_crop(size, wanted, recipe.pad, chance)
    ratio = wanted[0] / wanted[1]
    if not (recipe.scale or recipe.crop > 1):
        return covering(size, ratio)
    width, height = size
    zoom = chance.uniform(*(recipe.scale or (recipe.crop, recipe.crop)))  # of the short side, in sides of the input
    wide, high = min(width, height * ratio) / zoom, min(height, width / ratio) / zoom
    left, top = chance.random() * (width - wide), chance.random() * (height - high)
    return left, top, left + wide, top + high


def covering(size: tuple[int, int], ratio: float) -> Box:
    """Return the largest centred box of a given ratio of width to height."""
    width, height = size
    wide, high = min(width, height * ratio), min(height, width / ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def resized_crop(size: tuple[int, int], least: float, chance: random.Random) -> Box:
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


def _padded_crop(size: tuple[int, int], wanted: tuple[int, int], pad: int, chance: random.Random) -> Box:
    """Return a box of the input's size in an image that covers the input, with `pad` pixels around it (He et al. 2015).

    It lies on whole pixels of the input, so that an image of the input's size is shifted without resampling.
    """
    unit = min(side / own for side, own in zip(size, wanted, strict=True))  # pixels of the image in one of the input
    left, top = (_shift(side / unit - own + 2 * pad, chance) - pad for side, own in zip(size, wanted, strict=True))
    return left * unit, top * unit, (left + wanted[0]) * unit, (top + wanted[1]) * unit


def _shift(span: float, chance: random.Random) -> float:
    """Return one of the equal steps from 0 to `span`, each about 1."""
    steps = int(span + ROUNDING)
    return chance.randint(0, steps) * span / steps


def cropped(
    image: Image.Image,
    box: Box,
    size: tuple[int, int],
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
    outside: int = 0,
) -> Image.Image:
    """Return a part of an image, resized. Whatever lies outside the image is `outside`: black."""
    left, top, right, bottom = box
    inside = max(left, 0.0), max(top, 0.0), min(right, image.width), min(bottom, image.height)
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    begin = round((inside[0] - left) * across), round((inside[1] - top) * down)
    end = round((inside[2] - left) * across), round((inside[3] - top) * down)
    if (begin, end) == ((0, 0), size):
        return image.resize(size, resampling, inside)
    canvas = Image.new(image.mode, size, outside)
    if begin[0] < end[0] and begin[1] < end[1]:  # a pad may be larger than the input
        part = image.resize((end[0] - begin[0], end[1] - begin[1]), resampling, inside)
        canvas.paste(part, begin)
    return canvas
