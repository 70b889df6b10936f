"""A small U-Net that finds and names handwritten digits on textured grounds: a class for each pixel.

In: a folder of runs. Out: pictures with masks, made here from scikit-learn's digits, and a page. The held-out pictures
show digits that no training picture has.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from archspec.compiler.data.digits import split
from benchmarks.experiments.runs import Done, Folders, Run, done, page, words

SIDE, DIGITS = 64, 2  # pixels, digits of a picture
SIZES = (22, 34)  # pixels of a digit's side
COUNTS = {"train": 800, "val": 200}
INK = 0.35  # the least share of ink that makes a pixel one of the digit
MOST_SHOWN = 4
Pixels = NDArray[np.float64]
COMMAND = words(
    "unet --set width=8 --set depth=3 --input 64x64x1 --data RUNS/digits-on-grounds --workers 0 --no-flip --epochs 20"
)


def texture(chance: np.random.Generator) -> Pixels:
    """Smooth noise of several scales, from 0 to 1."""
    found = np.zeros((SIDE, SIDE))
    for cells in (4, 9, 21, SIDE):
        grid = Image.fromarray(chance.random((cells, cells)).astype(np.float32))
        found += chance.random() * np.asarray(grid.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return np.asarray((found - found.min()) / (found.max() - found.min()))


def picture(
    chance: np.random.Generator, digits: Pixels, classes: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture of some digits [N, 8, 8], bright or dark on a ground, and its mask: 0, or 1 more than the digit."""
    image = 0.25 + 0.5 * texture(chance)
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    for _ in range(DIGITS):
        number, size = chance.integers(len(digits)), int(chance.integers(*SIZES))
        small = Image.fromarray(digits[number].astype(np.float32))
        ink = np.asarray(small.resize((size, size), Image.Resampling.BICUBIC)).clip(0, 1)
        top, left = chance.integers(0, SIDE - size, 2)
        place = np.s_[top : top + size, left : left + size]
        colour = chance.choice([0.0, 1.0])
        image[place] = image[place] * (1 - ink) + colour * ink
        mask[place] = np.where(ink > INK, classes[number] + 1, mask[place])
    return (255 * image).round().astype(np.uint8), mask


def write_pictures(root: Path) -> None:
    """Write the pictures and masks of both parts, once."""
    import torch
    from sklearn.datasets import load_digits

    if (root / "classes.txt").exists():
        return
    found = load_digits()
    own = dict(zip(COUNTS, split(torch.from_numpy(found.target), 0), strict=True))
    for number, (part, count) in enumerate(COUNTS.items()):
        chance = np.random.default_rng(number)
        digits, classes = found.images[own[part].numpy()] / 16, found.target[own[part].numpy()].tolist()
        for kind in ("images", "masks"):
            (root / part / kind).mkdir(parents=True, exist_ok=True)
        for place in range(count):
            for kind, pixels in zip(("images", "masks"), picture(chance, digits, classes), strict=True):
                Image.fromarray(pixels).save(root / part / kind / f"{place:03}.png")
    (root / "classes.txt").write_text("ground\n" + "".join(f"digit {name}\n" for name in range(10)), encoding="utf-8")


def masks(folders: Folders) -> None:
    """Make the pictures, train, and write the page."""
    write_pictures(folders.runs / "digits-on-grounds")
    found = done(Run("masks", COMMAND), folders)
    page("masks", "U-Net on handwritten digits with masks", [found.run.command], *_parts(found))


def _parts(found: Done) -> list[list[str]]:
    raise NotImplementedError
