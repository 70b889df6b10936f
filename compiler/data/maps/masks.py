"""Mask files: images of one channel, whose values are the numbers of classes.

In: paths. Out: masks, or what their files say: the size, and how many pixels each value has. What is not a mask is a
ValueError that says why.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from archspec.compiler.data.decode import open_bitmap

IGNORED = 255  # a pixel of this value counts nowhere (as in PASCAL VOC, Everingham et al. 2010)
LOSSY = frozenset(("JPEG", "JPEG2000"))  # whose values change when they are written


class MaskFile(NamedTuple):
    """A mask's width and height and the pixels of each value, 0 to 255; or, in `wrong`, why it is not a mask."""

    size: tuple[int, int] = (0, 0)
    pixels: tuple[int, ...] = ()
    wrong: str = ""

    @property
    def largest(self) -> int:
        """The largest value that is not ignored; -1 if all pixels are."""
        return max((value for value, count in enumerate(self.pixels[:IGNORED]) if count), default=-1)


def read_mask(path: Path) -> Image.Image:
    """Return a mask upright, in Pillow's mode `L`. Raises ValueError for an image that is not a mask."""
    with open_bitmap(path) as opened:
        if opened.format in LOSSY:
            raise ValueError(f"{opened.format} changes the values of pixels; expected PNG")
        values = _values(ImageOps.exif_transpose(opened))
    return Image.fromarray(values)


def mask_file(path: Path) -> MaskFile | None:
    """Return what a mask's file says, None for one that cannot be read."""
    try:
        mask = read_mask(path)
    except ValueError as error:
        return MaskFile(wrong=str(error))
    except Exception:  # a decoder raises anything for a damaged file
        return None
    return MaskFile(mask.size, tuple(mask.histogram()))


def _values(image: Image.Image) -> NDArray[np.uint8]:
    """Return the values of pixels; of a palette they are its indices."""
    if len(image.getbands()) != 1:
        raise ValueError(f"it has {len(image.getbands())} channels ({image.mode}); expected one, with a value a class")
    values = np.asarray(image)
    if values.dtype.kind == "f" or (values.size and not 0 <= values.min() <= values.max() <= IGNORED):
        raise ValueError(f"it has values from {values.min():g} to {values.max():g}; expected 0 to {IGNORED}")
    return values.astype(np.uint8)
