"""A small U-Net that finds light and dark handwritten digits on textured grounds: a class for each pixel.

In: a folder of runs. Out: pictures with masks, made here from scikit-learn's digits, and a page. The held-out pictures
show digits that no training picture has.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from archspec.compiler import build
from archspec.compiler.data.digits import split
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.compiler.pages.map_pictures import class_colours, coloured_map
from archspec.compiler.training.records.report_page import versions
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.trained import open_trained
from archspec.recipe import Recipe
from benchmarks.experiments.runs import RESULTS, Done, Folders, Run, done, page, words, write_epochs

SIDE, DIGITS = 64, 2  # pixels, digits of a picture
SIZES = (22, 34)  # pixels of a digit's side
COUNTS = {"train": 400, "val": 100}
INK = 0.35  # the least share of ink that makes a pixel one of the digit
MOST_SHOWN = 6
COLUMNS = ("epoch", "lr", "loss", "train_pixel_accuracy", "held_out_loss", "pixel_accuracy", "mean_iou", "seconds")
SHARES = ("iou", "precision", "recall")
Pixels = NDArray[np.float64]
COMMAND = words(
    "unet --set width=8 --set depth=3 --input 64x64x1 --data RUNS/digits-on-grounds --workers 0 --no-flip --epochs 6"
)


def texture(chance: np.random.Generator) -> Pixels:
    """Smooth noise of several scales, from 0 to 1."""
    found = np.zeros((SIDE, SIDE))
    for cells in (4, 9, 21, SIDE):
        grid = Image.fromarray(chance.random((cells, cells)).astype(np.float32))
        found += chance.random() * np.asarray(grid.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return np.asarray((found - found.min()) / (found.max() - found.min()))


def picture(chance: np.random.Generator, digits: Pixels) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture of some digits [N, 8, 8] on a ground, and its mask: 0, or 1 and 2 where there is light or dark ink."""
    image = 0.25 + 0.5 * texture(chance)
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    for _ in range(DIGITS):
        size = int(chance.integers(*SIZES))
        small = Image.fromarray(digits[chance.integers(len(digits))].astype(np.float32))
        ink = np.asarray(small.resize((size, size), Image.Resampling.BICUBIC)).clip(0, 1)
        top, left = chance.integers(0, SIDE - size, 2)
        place = np.s_[top : top + size, left : left + size]
        is_dark = int(chance.integers(2))
        image[place] = image[place] * (1 - ink) + (1 - is_dark) * ink
        mask[place] = np.where(ink > INK, 1 + is_dark, mask[place])
    return (255 * image).round().astype(np.uint8), mask


def write_pictures(root: Path) -> None:
    """Write the pictures and masks of both parts, once."""
    if (root / "classes.txt").exists():
        return
    found = load_digits()
    own = dict(zip(COUNTS, split(torch.from_numpy(found.target), 0), strict=True))
    for number, (part, count) in enumerate(COUNTS.items()):
        chance = np.random.default_rng(number)
        digits = found.images[own[part].numpy()] / 16
        for kind in ("images", "masks"):
            (root / part / kind).mkdir(parents=True, exist_ok=True)
        for place in range(count):
            for kind, pixels in zip(("images", "masks"), picture(chance, digits), strict=True):
                Image.fromarray(pixels).save(root / part / kind / f"{place:03}.png")
    (root / "classes.txt").write_text("ground\nlight digit\ndark digit\n", encoding="utf-8")


def masks(folders: Folders) -> None:
    """Make the pictures, train, and write the page."""
    write_pictures(folders.runs / "digits-on-grounds")
    found = done(Run("masks", COMMAND), folders)
    write_epochs("masks", [found], COLUMNS)
    run = folders.runs / "masks"
    shown = predictions(run, folders.runs / "digits-on-grounds" / "val")
    (RESULTS / "masks.png").write_bytes(shown)
    page("masks", "U-Net on handwritten digits with masks", [found.run.command], *_parts(found, run))


def _parts(found: Done, run: Path) -> list[list[str]]:
    summary = found.summary
    evaluation = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    what = (
        f"The program makes {COUNTS['train']} pictures to train on and {COUNTS['val']} to hold out, {SIDE}x{SIDE}, each with "
        f"{DIGITS} of scikit-learn's digits, light or dark, on a ground of smooth noise. A pixel is of the ground, of a light digit",
        "or of a dark one. The digits of the held-out pictures are in no training picture. The recipe is the default one, seed "
        f"{summary['recipe']['seed']}, without flips, which would change digits.",
    )
    when = datetime.fromtimestamp((run / "summary.json").stat().st_mtime, UTC)
    told = (
        f"{versions()}, {when:%Y-%m-%d}. Mean IoU **{100 * summary['mean_iou']:.2f} %** in the last epoch "
        f"({100 * summary['best_mean_iou']:.2f} % in the best), {100 * summary['pixel_accuracy']:.2f} % of {summary['pixels']:,} "
        f"pixels right, in {found.time}. With nothing but ground it would be "
        f"{100 * _of_ground(evaluation) / len(evaluation['classes']):.2f} %.",
    )
    table = ["| class | pixels | IoU | precision | recall |", "| :--- | ---: | ---: | ---: | ---: |"]
    for one in evaluation["classes"]:
        shares = " | ".join("" if one[name] is None else f"{100 * one[name]:.2f} %" for name in SHARES)
        table.append(f"| {one['class']} | {one['pixels']:,} | {shares} |")
    picture = ("![image, mask and prediction](masks.png)", "", "Held-out pictures: image, mask, prediction.")
    return [list(part) for part in (what, told, table, picture)]


def _of_ground(evaluation: dict[str, Any]) -> float:
    """The IoU of the ground, and the only one, if every pixel were taken for it."""
    return float(evaluation["classes"][0]["pixels"] / evaluation["pixels"])


def predictions(run: Path, part: Path) -> bytes:
    """Some held-out pictures with their masks and the run's predictions, as a PNG."""
    trained = open_trained(run)
    network = trained.network
    module = build(network).eval()
    weights.fill(module, trained.state)
    paths = [[part / kind / f"{place:03}.png" for place in range(MOST_SHOWN)] for kind in ("images", "masks")]
    batch = Pairs(*paths, MapVolumes(network.input, network.output), Recipe()).__getitems__(
        [(place, -1) for place in range(MOST_SHOWN)]
    )
    mean, std = trained.preprocessing.mean[0], trained.preprocessing.std[0]
    with torch.inference_mode():
        guesses = module((batch.images.float() / 255 - mean) / std).argmax(1)
    colours = class_colours(len(trained.class_names))
    rows = [
        torch.cat([image.expand(3, -1, -1), coloured_map(mask, colours), coloured_map(guess, colours)], 2)
        for image, mask, guess in zip(batch.images, batch.classes, guesses, strict=True)
    ]
    shown = Image.fromarray(torch.cat(rows, 1).permute(1, 2, 0).numpy())
    file = BytesIO()
    shown.resize((2 * shown.width, 2 * shown.height), Image.Resampling.NEAREST).save(file, "PNG", optimize=True)
    return file.getvalue()
