"""RandAugment: two random operations of one magnitude (Cubuk et al. 2019).

In: an image, a magnitude from 0 to 10, random numbers. Out: the image after the operations.

The operations and their ranges are those of timm's `rand-m9-mstd0.5-inc1`, which ConvNeXt's and Swin's recipes use:
each of the two is applied half of the time, with a magnitude drawn around the given one, and a larger magnitude
changes an image more. What differs from timm: `posterize` keeps 8 to 4 bits, as in the paper, instead of 4 to none.
What differs from the paper: its magnitude is fixed, its operations are always applied, and one of them is the identity.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageEnhance, ImageOps

from archspec.compiler.data.preprocessing import usual_statistics
from archspec.recipe import MOST_RANDAUGMENT

COUNT = 2
LIKELIHOOD = 0.5  # that each is applied
DEVIATION = 0.5  # of the magnitude
DEGREES, SHEAR, SHIFT = 30.0, 0.3, 0.45  # at the largest magnitude; the shift is a share of the side
FACTOR, FAINTEST = 0.9, 0.1  # how far colour, contrast, brightness and sharpness go from 1, and their least
BITS, ADDED = 4, 110  # that posterize removes and solarize_add adds, both at the largest magnitude

Operation = Callable[[Image.Image, float], Image.Image]  # takes a level from 0 to 1, or from -1 to 1


def _affine(
    image: Image.Image, across: float = 0.0, right: float = 0.0, down: float = 0.0, below: float = 0.0
) -> Image.Image:
    """Return the image whose pixel (x, y) was at (x + across*y + right, y + down*x + below)."""
    matrix = (1.0, across, right, down, 1.0, below)
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=_mean_colour(image)
    )


def _mean_colour(image: Image.Image) -> tuple[int, ...] | int:
    """Return the usual mean of images as a colour, which fills what an operation uncovers."""
    mean, _ = usual_statistics(len(image.getbands()))
    colour = tuple(round(255 * one) for one in mean)
    return colour if len(colour) > 1 else colour[0]


def _enhanced(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    return lambda image, level: kind(image).enhance(max(FAINTEST, 1 + FACTOR * level))


def _solarize_add(image: Image.Image, level: float) -> Image.Image:
    added = int(ADDED * level)
    table = [min(255, value + added) if value < 128 else value for value in range(256)]
    return image.point(table * len(image.getbands()))


# these go both ways
SIGNED: Mapping[str, Operation] = {
    "rotate": lambda image, level: image.rotate(
        DEGREES * level, Image.Resampling.BICUBIC, fillcolor=_mean_colour(image)
    ),
    "shear_x": lambda image, level: _affine(image, across=SHEAR * level),
    "shear_y": lambda image, level: _affine(image, down=SHEAR * level),
    "translate_x": lambda image, level: _affine(image, right=SHIFT * level * image.width),
    "translate_y": lambda image, level: _affine(image, below=SHIFT * level * image.height),
    "color": _enhanced(ImageEnhance.Color),
    "contrast": _enhanced(ImageEnhance.Contrast),
    "brightness": _enhanced(ImageEnhance.Brightness),
    "sharpness": _enhanced(ImageEnhance.Sharpness),
}
UNSIGNED: Mapping[str, Operation] = {
    "posterize": lambda image, level: ImageOps.posterize(image, 8 - int(BITS * level)),
    "solarize": lambda image, level: ImageOps.solarize(image, 256 - int(256 * level)),
    "solarize_add": _solarize_add,
}
FIXED: Mapping[str, Operation] = {  # these have no magnitude
    "autocontrast": lambda image, _: ImageOps.autocontrast(image),
    "equalize": lambda image, _: ImageOps.equalize(image),
    "invert": lambda image, _: ImageOps.invert(image),
}
OPERATIONS: Mapping[str, Operation] = {**SIGNED, **UNSIGNED, **FIXED}


def randaugmented(image: Image.Image, magnitude: float, chance: random.Random) -> Image.Image:
    """Return the image after `COUNT` random operations."""
    for name in chance.choices(tuple(OPERATIONS), k=COUNT):
        is_applied, is_negative = chance.random() < LIKELIHOOD, chance.random() < 0.5
        level = min(max(chance.gauss(magnitude, DEVIATION), 0.0), MOST_RANDAUGMENT) / MOST_RANDAUGMENT
        if is_applied:
            image = OPERATIONS[name](image, -level if is_negative and name in SIGNED else level)
    return image
