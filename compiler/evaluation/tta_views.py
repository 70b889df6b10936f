"""Test-time views of an image: flipped, cropped in several places, at several scales.

In: which views are wanted, and a decoded image. Out: the pixels that a network takes, and the weight of each view.

- `flip`: the image and its horizontal flip.
- `10-crop`: the four corners and the centre of an image of 8/7 the input's size, and their flips: 224 of 256
  (Krizhevsky et al. 2012, section 4.1).
- `scales`: the mean over those of the five scales 224, 256, 384, 480 and 640 of He et al. 2015 (section 3.4), taken as
  shares of the input's size, that are not larger than the network's augmentation showed: larger ones lose accuracy. A
  network that accepts the whole scaled image gets it; others get crops at the corners and the centre.

Without any, an image has one view, the same as in `archspec run`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from archspec.compiler.data.preprocessing import Preprocessing, fitted, normalised
from archspec.recipe import Recipe

Size = tuple[int, int]  # width and height
FLIP, TEN_CROP, SCALES = "flip", "10-crop", "scales"
SCALE_FACTORS = tuple(Fraction(side, 224) for side in (224, 256, 384, 480, 640))
CROPPED = Fraction(256, 224)
TOLERANCE = 1.05  # of the largest scale: the usual crop's 9/8 is taken for 8/7
PLACES = ((0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))  # the centre and the corners


@dataclass(frozen=True)
class View:
    """The image at `scale` times the input's size: the whole, or a crop of the input's size at `place`; flipped or not.

    `place` is the crop's share of the way from left to right and from top to bottom. The weights of an image's views
    add up to 1.
    """

    scale: Fraction
    place: tuple[float, float] | None
    is_flipped: bool
    weight: float

    def size(self, preprocessing: Preprocessing) -> Size:
        """Return the width and height of what the network takes."""
        return at_scale(preprocessing, self.scale if self.place is None else Fraction(1))


def at_scale(preprocessing: Preprocessing, scale: Fraction) -> Size:
    """Return the input's width and height, scaled."""
    return round(preprocessing.width * scale), round(preprocessing.height * scale)


def largest_scale(recipe: Mapping[str, Any]) -> float:
    """Return the largest size in which a recipe showed its images, in sides of the input."""
    usual = Recipe()
    area, scale, pad, crop = (recipe.get(name, getattr(usual, name)) for name in ("area", "scale", "pad", "crop"))
    found = area**-0.5 if area else 1.0 if pad else scale[1] if scale else crop
    return float(found)


def views(
    wanted: Collection[str], takes: Callable[[Fraction], bool], largest: float = float(max(SCALE_FACTORS))
) -> tuple[View, ...]:
    """Return the views of an image; `takes` says whether the network accepts a whole image at a scale. Scales above
    `largest` are left out."""
    ten_crop = TEN_CROP in wanted
    seen = tuple(scale for scale in SCALE_FACTORS if scale <= max(1.0, largest * TOLERANCE))
    scales = seen if SCALES in wanted else (CROPPED,) if ten_crop else (Fraction(1),)
    flips = (False, True) if ten_crop or FLIP in wanted else (False,)
    found = []
    for scale in scales:
        whole = scale == 1 or (not ten_crop and takes(scale))
        places = (None,) if whole else PLACES
        weight = 1 / (len(scales) * len(places) * len(flips))
        found += [View(scale, place, is_flipped, weight) for place in places for is_flipped in flips]
    return tuple(found)


def cut(image: Image.Image, wanted: Sequence[View], preprocessing: Preprocessing) -> list[NDArray[np.float32]]:
    """Return the pixels of each view, normalised, [C, H, W]."""
    kinds = {(view.scale, 1.0 if view.place else preprocessing.crop) for view in wanted}
    large = {(scale, crop): fitted(image, at_scale(preprocessing, scale), crop) for scale, crop in kinds}
    pieces = [(view, large[view.scale, 1.0 if view.place else preprocessing.crop]) for view in wanted]
    return [normalised(_piece(one, view, preprocessing), preprocessing) for view, one in pieces]


def described(wanted: Collection[str], members: Sequence[Sequence[View]]) -> str:
    """Say which views the networks of an ensemble got, and at which scales."""
    names = list(dict.fromkeys(wanted))
    if SCALES in names:
        found = sorted({view.scale for views_ in members for view in views_})
        scales = ", ".join(map(str, found))
        why = "scale 1: training showed no larger one" if len(found) == 1 else f"scales {scales} of the input"
        names[names.index(SCALES)] = why
    counts = " or ".join(map(str, sorted({len(one) for one in members})))
    return f"averaged over {counts} views of each image ({', '.join(names)})"


def _piece(large: Image.Image, view: View, preprocessing: Preprocessing) -> Image.Image:
    if view.place is not None:
        width, height = view.size(preprocessing)
        left, top = round(view.place[0] * (large.width - width)), round(view.place[1] * (large.height - height))
        large = large.crop((left, top, left + width, top + height))
    return ImageOps.mirror(large) if view.is_flipped else large
