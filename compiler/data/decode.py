"""Images as a network takes them: found, decoded, resized, cut, normalised.

In: paths of images and folders, and a `Preprocessing`. Out: arrays [C, H, W] in float32, or a finding for each path
that is no image. A wrong file never stops the others.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from archspec.compiler.weights.metadata import Preprocessing
from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic

MODES = {"RGB": "RGB", "gray": "L"}
Image.init()  # all of Pillow's formats, once and before any thread asks for them
# Only these are opened, whatever a file is called: Pillow starts Ghostscript for PostScript, for one
NAMED = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
FORMATS = tuple(kind for kind in NAMED if kind in Image.OPEN)
SUFFIXES = frozenset(suffix for suffix, kind in Image.EXTENSION.items() if kind in FORMATS)  # .jpg, .png, ...


def find(paths: tuple[Path, ...]) -> tuple[list[Path], list[Diagnostic]]:
    """The images that paths and folders name, folders searched through and sorted, and what names none."""
    found: list[Path] = []
    wrong: list[Diagnostic] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in SUFFIXES and entry.is_file())
        if not inside:
            wrong.append(_no_images(path))
        found.extend(inside)
    return found, wrong


def _no_images(folder: Path) -> Diagnostic:
    others = sum(entry.is_file() for entry in folder.rglob("*"))
    note = f"none of its {others} files ends as images do (.jpg, .png, ...)" if others else "it is empty"
    return Diagnostic("E433", f"no image in the folder `{folder}`", notes=(note,))


def open_bitmap(path: Path) -> Image.Image:
    """Open an image file. Raises what Pillow raises, for a format that is not in `FORMATS` too."""
    return Image.open(path, formats=FORMATS)


def load(path: Path, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """An image file as the network takes it. Raises Finding for a file that is no whole image."""
    size = (preprocessing.width, preprocessing.height)
    return prepare(decode(path, preprocessing.colours, size), preprocessing)


def decode(path: Path, colours: str, size: tuple[int, int]) -> Image.Image:
    """An image file upright, in RGB or gray, and no larger than `size` needs where its format can do that.

    Raises Finding for a file that is no whole image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are still fine
            with open_bitmap(path) as image:
                image.draft(MODES[colours], size)  # less to decode
                return coloured(ImageOps.exif_transpose(image), MODES[colours])
    except FileNotFoundError:
        raise Finding("E432", f"there is no file `{path}`") from None
    except UnidentifiedImageError:
        raise Finding("E432", f"`{path}` is no image", notes=(_looks_like(path),)) from None
    except Exception as error:  # a decoder raises anything of a damaged file
        reason = str(error) or type(error).__name__
        raise Finding("E432", f"`{path}` cannot be read as an image", notes=(reason,)) from None


def coloured(image: Image.Image, mode: str) -> Image.Image:
    """An image in `L` or `RGB`. Pillow cuts deep grays off at 255: here their range becomes 0 .. 255."""
    if image.mode == "I" or image.mode.startswith("I;16"):  # `I` is how some versions read 16 bits
        image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(_bytes(np.nan_to_num(np.asarray(image), posinf=255, neginf=0)))
    return image.convert(mode)


def _bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pixels of 0 .. 1, or of 0 .. 255 where one is above 1, in bytes."""
    scale = 1 if pixels.max() > 1 else 255
    found: NDArray[np.uint8] = (pixels.clip(0, 255) * scale).round().astype(np.uint8)
    return found


def _looks_like(path: Path) -> str:
    """A word on what a file that is no image holds."""
    head = path.read_bytes()[:512]
    if not head:
        return "it is empty"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return f"its format is none of {', '.join(FORMATS)}"
    return "it holds text"


def prepare(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """A decoded image: resized to cover the input, cut in the middle, 0 .. 1, (x - mean)/std; [C, H, W]."""
    size = (preprocessing.width, preprocessing.height)
    return normal(fitted(image.convert(MODES[preprocessing.colours]), size), preprocessing)


def fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """An image resized until it covers `size`, width and height, and cut to it in the middle."""
    return ImageOps.fit(image, size, Image.Resampling.BICUBIC)


def normal(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """The pixels as numbers: 0 .. 1, then (x - mean)/std; [C, H, W]."""
    pixels = np.asarray(image, dtype=np.float32).reshape(image.height, image.width, -1) / np.float32(255)
    mean, std = (np.array(values, dtype=np.float32) for values in (preprocessing.mean, preprocessing.std))
    scaled: NDArray[np.float32] = (pixels - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
