"""The headers of image files, read by several threads: colours and size, without decoding.

In: paths. Out: a `Header` for each image, None for a file that is not one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from PIL.ImageFile import ImageFile

from archspec.compiler.data.decode import open_bitmap
from archspec.compiler.data.photos import upright_size

DEEP = ("I", "F")  # Pillow's modes of more than 8 bits: I, I;16, I;16B, F
NAMES = {
    "1": "gray",
    "L": "gray",
    "LA": "transparent",
    "La": "transparent",
    "RGBA": "transparent",
    "RGBa": "transparent",
    "PA": "transparent",
    "P": "palette",
}


class Header(NamedTuple):
    """What a file says of its image: Pillow's mode, width and height, and whether a channel has 16 bits or more."""

    mode: str
    size: tuple[int, int]
    is_deep: bool = False

    @property
    def colours(self) -> str:
        """`RGB`, or what an image is instead: `gray`, `CMYK`, `palette`, `transparent`, `16 bit`."""
        return "16 bit" if self.is_deep else NAMES.get(self.mode, self.mode)


Headers = Mapping[Path, Header | None]


def headers(
    paths: Iterable[Path], read: Callable[[Path], Header | None] | None = None, seen: Callable[[], None] = lambda: None
) -> Headers:
    """Read files by `read`, by default `header`; `seen` is called after each."""
    found: dict[Path, Header | None] = {}
    listed = list(dict.fromkeys(paths))
    with ThreadPoolExecutor() as pool:
        for path, one in zip(listed, pool.map(read or header, listed), strict=True):
            found[path] = one
            seen()
    return found


def header(path: Path) -> Header | None:
    """Return the header of an image file, None for a file that is not an image."""
    try:
        with open_bitmap(path) as image:
            return _of(image)
    except Exception:  # a decoder raises anything for a damaged file
        return None


def decoded(path: Path) -> Header | None:
    """Do as `header`, but decode the whole image: None also for one that is cut short."""
    try:
        with open_bitmap(path) as image:
            found = _of(image)
            image.load()
            return found
    except Exception:  # as above
        return None


def upright_header(path: Path, read: Callable[[Path], Header | None] = header) -> Header | None:
    """Do as `read`, with the width and height that the image has once it is upright."""
    found = read(path)
    if found is None:
        return None
    with open_bitmap(path) as image:
        return found._replace(size=upright_size(image))


def _of(image: Image.Image) -> Header:
    layouts = [str(tile[3]) for tile in image.tile] if isinstance(image, ImageFile) else []
    mode = "RGBA" if "transparency" in image.info and image.mode in ("P", "RGB", "L") else image.mode
    return Header(
        mode, image.size, image.mode.startswith(DEEP) or any(";16" in one for one in layouts)
    )  # `RGB;16B` is opened as RGB
