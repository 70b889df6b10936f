"""Folders of generated images, every file of other pixels."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_images(root: Path, counts: dict[str, int], size: tuple[int, int] = (40, 40), seed: int = 0) -> Path:
    """Write so many images into each folder below `root`: `{"train/cat": 3}` gives train/cat/0.png to 2.png."""
    chance = np.random.default_rng(seed)
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = chance.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png", compress_level=1)
    return root
