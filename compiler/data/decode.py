"""Image files: found in folders and decoded.

In: paths of images and folders. Out: decoded images, arrays [C, H, W] in float32, or a finding for each path that is
not an image. A bad file never stops the others.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from archspec.compiler.data.preprocessing import Preprocessing, prepare
from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.regular_file import is_file, is_folder, open_regular, read_regular

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it logs of a bad file, the finding says
Image.init()  # all of Pillow's formats, once and before any thread asks for them
# Only these are opened, whatever a file is called: Pillow starts Ghostscript for PostScript, for one
NAMED = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
FORMATS = tuple(kind for kind in NAMED if kind in Image.OPEN)
SUFFIXES = frozenset(suffix for suffix, kind in Image.EXTENSION.items() if kind in FORMATS)  # .jpg, .png, ...
HEAD = 512  # bytes of a file that is not an image, to say what it is instead
GRAYS = frozenset(("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"))  # Pillow's modes without colour


def find(paths: tuple[Path, ...]) -> tuple[list[Path], list[Diagnostic]]:
    """List the images that paths and folders name, folders recursively and sorted; and the folders without any."""
    found: list[Path] = []
    wrong: list[Diagnostic] = []
    for path in paths:
        if not is_folder(path):  # which, unlike Path.is_dir, raises nothing for a name that cannot be
            found.append(path)
            continue
        inside = sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in SUFFIXES and not is_folder(entry))
        if not inside:
            wrong.append(_no_images(path))
        found.extend(inside)
    return found, wrong


def _no_images(folder: Path) -> Diagnostic:
    others = sum(is_file(entry) for entry in folder.rglob("*"))
    note = f"it contains {plural(others, 'file')}, but no .jpg, .png or other image" if others else "it is empty"
    return Diagnostic("E433", f"no image in the folder `{folder}`", notes=(note,))


@contextmanager
def open_bitmap(path: Path) -> Iterator[Image.Image]:
    """Open an image file. Raises whatever Pillow raises, also for a format that is not in `FORMATS`, and OSError for
    what is not a regular file."""
    with open_regular(path) as file, Image.open(file, formats=FORMATS) as image:
        yield image


def load(path: Path, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Load an image file as the network takes it. Raises Finding for a file that is not a complete image."""
    return prepare(decode(path, preprocessing.mode, preprocessing.decoded_size), preprocessing)


def decode(path: Path, mode: str, size: tuple[int, int]) -> Image.Image:
    """Decode an image file upright, in `mode` `RGB` or `L`, and no larger than `size` needs where its format allows.

    Raises Finding for a file that is not a complete image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are still fine
            with open_bitmap(path) as image:
                image.draft(mode, size)  # less to decode
                return coloured(ImageOps.exif_transpose(image), mode)
    except FileNotFoundError:
        raise Finding("E432", f"no such file: `{path}`") from None
    except UnidentifiedImageError:
        raise Finding("E432", f"`{path}` is not an image", notes=(_looks_like(path),)) from None
    except Exception as error:  # a decoder raises anything for a damaged file
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Finding("E432", f"`{path}` cannot be read as an image", notes=(reason,)) from None


def coloured(image: Image.Image, mode: str) -> Image.Image:
    """Convert an image to `L` or `RGB`. Pillow clips deep grays at 255; here their range is scaled to 0 .. 255."""
    if image.mode == "I" or image.mode.startswith("I;16"):  # `I` is how some versions read 16 bits
        image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(_bytes(np.nan_to_num(np.asarray(image), posinf=255, neginf=0)))
    return image.convert(mode)


def _bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return pixels of 0 .. 1, or of 0 .. 255 where one is above 1, as bytes."""
    scale = 1 if pixels.max() > 1 else 255
    found: NDArray[np.uint8] = (pixels.clip(0, 255) * scale).round().astype(np.uint8)
    return found


def _looks_like(path: Path) -> str:
    """Say what a file that is not an image contains."""
    head = read_regular(path, HEAD)[:HEAD]
    if not head:
        return "it is empty"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return f"supported formats: {', '.join(FORMATS)}"
    return "it contains text"
