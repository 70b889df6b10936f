"""Small folders of images and masks: bright boxes and discs on a dark, noisy ground."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NAMES = ("ground", "box", "disc")


def pair(chance: np.random.Generator, side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return an image [H, W, 3] and its mask: 0 ground, 1 a red box, 2 a blue disc; a corner is ignored."""
    image = chance.integers(0, 60, (side, side, 3))
    mask = np.zeros((side, side), dtype=np.uint8)
    rows, columns = np.mgrid[:side, :side]
    top, left = chance.integers(0, side // 2, 2)
    size = side // 3
    mask[top : top + size, left : left + size] = 1
    row, column = chance.integers(side // 4, 3 * side // 4, 2)
    mask[(rows - row) ** 2 + (columns - column) ** 2 <= (side // 5) ** 2] = 2
    image[mask == 1, 0] += 160
    image[mask == 2, 2] += 160
    mask[0, 0] = 255
    return image.astype(np.uint8), mask


def write_pairs(root: Path, counts: dict[str, int], side: int = 24, seed: int = 0, names: bool = True) -> Path:
    """Write so many pairs into each part: `{"train": 3}` gives train/images/0.png and train/masks/0.png to 2.png."""
    chance = np.random.default_rng(seed)
    for part, count in counts.items():
        for kind in ("images", "masks"):
            (root / part / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            for kind, pixels in zip(("images", "masks"), pair(chance, side), strict=True):
                Image.fromarray(pixels).save(root / part / kind / f"{number}.png", compress_level=1)
    if names:
        (root / "classes.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    return root
