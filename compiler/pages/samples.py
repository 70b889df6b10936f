"""Held-out digits as image files, so that a trained network has something to classify.

In: the held-out digits and a folder. Out: one PNG for each class.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from archspec.compiler.data.digits import Digits
from archspec.compiler.weights.atomic import replace_file
from archspec.diagnostics.errors import failure


def write_samples(held_out: Digits, folder: Path) -> None:
    """Write one held-out digit of each class as an image. Raises ArchspecError where the folder cannot be made."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise failure("E422", f"cannot create the folder `{folder}`: {error.strerror or error}") from None
    for one in sorted(set(held_out.classes.tolist())):
        place = int((held_out.classes == one).nonzero()[0])
        pixels = held_out.images[place].permute(1, 2, 0).squeeze(-1).numpy()
        file = BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        replace_file(folder / f"{one}.png", file.getvalue())
