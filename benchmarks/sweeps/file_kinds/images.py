"""Mutated images: decoded as `archspec run` and `archspec train` decode them."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from archspec.compiler.data.decode import FORMATS, decode, load
from archspec.compiler.data.folder import checked, folder
from archspec.compiler.data.photos import Photos
from archspec.compiler.data.preprocessing import IMAGENET, Preprocessing
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from benchmarks.sweeps.damage import damaged

MODES = ("L", "RGB", "RGBA", "P", "1", "I;16", "F", "CMYK")
RGB = Preprocessing(16, 20, "RGB", *IMAGENET)
SEEDS = ((0, -1), (0, 5))  # the image itself, and augmented


def prepare(place: Path) -> None:
    """Write an image of each format and mode that Pillow writes."""
    pixels = np.random.default_rng(0).integers(0, 256, (37, 50, 4), dtype=np.uint8)
    whole = Image.fromarray(pixels)
    for kind in FORMATS:
        for mode in MODES:
            image = whole.convert("L").convert("I").convert("I;16") if mode == "I;16" else whole.convert(mode)
            try:
                image.save(place / f"{mode.replace(';', '')}.{kind.lower()}", format=kind)
            except (OSError, ValueError, KeyError):  # a format that has no such mode
                (place / f"{mode.replace(';', '')}.{kind.lower()}").unlink(missing_ok=True)


def mutate(place: Path, chance: random.Random) -> tuple[str, bytes]:
    """Return damaged bytes of one of them."""
    path = chance.choice(sorted(place.iterdir()))
    return "image.png", damaged(path.read_bytes(), chance)


def read(path: Path) -> None:
    """Decode the image alone, and as one of a folder to train on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        photos = Photos([path], torch.tensor([0]), Volume((16, 20, 3)), Recipe(flip=True, color=0.4, area=0.1))
        for key in SEEDS:
            images, classes, bad, _ = photos.__getitems__([key])
            if len(images) + len(bad) < 1 or len(images) != len(classes) or images.shape[1:] != (3, 16, 20):
                raise AssertionError(f"{tuple(images.shape)}, {bad}")
        root = path.parent / "data"
        for name in ("a", "b"):
            (root / name).mkdir(parents=True, exist_ok=True)
            for number in range(2):
                Image.new("L", (8, 8)).save(root / name / f"{number}.png")
        (root / "a" / "2.png").unlink(missing_ok=True)
        (root / "a" / "2.png").symlink_to(path)
        checked(folder(root, Volume((8, 8, 3)), Recipe()))
    decode(path, "L", (8, 8))
    found = load(path, RGB)
    if found.shape != (3, 16, 20) or not np.isfinite(found).all():
        raise AssertionError(f"{found.shape}, {found}")
