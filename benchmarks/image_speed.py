"""Times how training reads photographs, against reading them the plain way with Pillow, in one process.

    python -m benchmarks.image_speed --output benchmarks/results/image_speed.md

Ours is `Photos`, which a worker of `archspec train` calls. The plain way decodes the whole image, resizes it and then
crops, or crops and then resizes, as torchvision's transforms do. Both read the same generated JPEGs, with the same
filter, and end in bytes [B, C, H, W]. A round runs the one and then the other, the next round the other way about.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import numpy as np
import PIL
import torch
from PIL import Image
from torch import Tensor

from archspec.compiler.data.photos import Photos
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from benchmarks.program import parser, run
from benchmarks.stopwatch import machine

COMMAND = "python -m benchmarks.image_speed --output benchmarks/results/image_speed.md"
SIZE = (1000, 750)
IMAGES = 32
SIDES = (224, 64)
WARM_UP = 1
TIMES = 1.125  # what a crop is out of, in sides of the input
AREA = 0.08
BICUBIC = Image.Resampling.BICUBIC


class Case(NamedTuple):
    """One line of the table: seconds of each round."""

    side: int
    work: str
    ours: list[float]
    plain: list[float]

    @property
    def ratios(self) -> list[float]:
        """Our images a second by those of the plain way, round by round."""
        return [plain / mine for mine, plain in zip(self.ours, self.plain, strict=True)]


def photographs(folder: Path) -> list[Path]:
    """JPEGs of smooth shapes with some grain, about as large as those of cameras for as many pixels."""
    numbers = np.random.default_rng(0)
    paths = []
    for number in range(IMAGES):
        shapes = Image.fromarray(numbers.integers(256, size=(12, 16, 3), dtype=np.uint8)).resize(SIZE, BICUBIC)
        grain = numbers.normal(0, 6, (SIZE[1], SIZE[0], 1))
        pixels = np.clip(np.asarray(shapes) + grain, 0, 255).astype(np.uint8)
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(pixels).save(paths[-1], quality=85)
    return paths


def _bytes(images: list[Image.Image]) -> Tensor:
    return torch.stack([torch.from_numpy(np.array(one)).permute(2, 0, 1).contiguous() for one in images])


def plain_crop(paths: Iterable[Path], side: int, chance: random.Random) -> Tensor:
    """Short side to more than the input, then a crop of its size, mirrored half of the time."""
    found = []
    for path in paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        scale = round(side * TIMES) / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), BICUBIC)
        left, top = chance.randint(0, image.width - side), chance.randint(0, image.height - side)
        image = image.crop((left, top, left + side, top + side))
        found.append(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else image)
    return _bytes(found)


def plain_area(paths: Iterable[Path], side: int, chance: random.Random) -> Tensor:
    """A part of random area, cut out and then resized, mirrored half of the time."""
    found = []
    for path in paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        edge = round((chance.uniform(AREA, 1) * image.width * image.height) ** 0.5)
        wide, high = min(edge, image.width), min(edge, image.height)
        left, top = chance.randint(0, image.width - wide), chance.randint(0, image.height - high)
        image = image.crop((left, top, left + wide, top + high)).resize((side, side), BICUBIC)
        found.append(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else image)
    return _bytes(found)


def plain_held_out(paths: Iterable[Path], side: int, _chance: random.Random) -> Tensor:
    """Short side to the input, then the middle."""
    found = []
    for path in paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        scale = side / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), BICUBIC)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        found.append(image.crop((left, top, left + side, top + side)))
    return _bytes(found)


WORK: dict[str, tuple[Recipe, Callable[[Iterable[Path], int, random.Random], Tensor]]] = {
    "crop, flip": (Recipe(crop=TIMES, flip=True), plain_crop),
    "resized crop, flip": (Recipe(area=AREA, flip=True), plain_area),
    "held out": (Recipe(), plain_held_out),
}


def time_case(paths: list[Path], side: int, work: str, rounds: int) -> Case:
    """`rounds` pairs of times after one that warms up."""
    recipe, plain = WORK[work]
    photos = Photos(paths, torch.zeros(len(paths), dtype=torch.long), Volume((side, side, 3)), recipe)
    chance = random.Random(0)
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(-WARM_UP, rounds):
        seeds = [-1 if work == "held out" else turn * IMAGES + place for place in range(IMAGES, 2 * IMAGES)]
        for which in (0, 1) if turn % 2 else (1, 0):
            begin = time.process_time()
            found = plain(paths, side, chance) if which else photos.__getitems__(list(enumerate(seeds))).images
            if turn >= 0:
                times[which].append(time.process_time() - begin)
            assert found.shape == (IMAGES, 3, side, side)
    return Case(side, work, *times)


def row(case: Case) -> str:
    """The table's line."""
    ours, plain = (f"{IMAGES / median(times):,.0f}" for times in (case.ours, case.plain))
    low, _, high = quantiles(case.ratios, n=4)
    size = f"{case.side}x{case.side}"
    return f"| {size} | {case.work} | {ours} | {plain} | {median(case.ratios):.2f} | {low:.2f} to {high:.2f} |"


def report(cases: Iterable[Case], rounds: int, weight: int) -> str:
    """The page."""
    return (
        "\n".join(
            [
                "# Reading photographs",
                "",
                f"Written by `{COMMAND}`",
                f"on {machine()}; Pillow {PIL.__version__}.",
                f"{IMAGES} generated JPEGs of {SIZE[0]} x {SIZE[1]} pixels, {weight / 1000:.0f} kB each, from the file cache;",
                f"{rounds} pairs of rounds, interleaved. Images a second of one worker by CPU time, medians; the ratio is the",
                "median of the pairs' ratios, and behind it is what half of them lie between.",
                "",
                "| input | work | archspec, images/s | plain Pillow, images/s | ratio | half of the ratios |",
                "| --- | --- | ---: | ---: | ---: | ---: |",
                *map(row, cases),
                "",
                "A JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size at which the crop has all pixels that",
                "the input needs, and one resize takes the crop.",
            ]
        )
        + "\n"
    )


def measured(rounds: int) -> tuple[bool, str]:
    """All cases, and the page; there is no target."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = photographs(Path(folder))
        cases = [time_case(paths, side, work, rounds) for side in SIDES for work in WORK]
        weight = sum(path.stat().st_size for path in paths) // len(paths)
    return True, report(cases, rounds, weight)


def main() -> int:
    return run(parser(__doc__, 15, "timed pairs of each case"), lambda of: measured(of.rounds))


if __name__ == "__main__":
    sys.exit(main())
