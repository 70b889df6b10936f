"""A small exported network and a folder of images, for the tests of `archspec run`."""

from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

import archspec
from archspec.cli import main
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.onnx import emit
from support.onnx_models import HandNetwork, randomised, weights_of

SPEC = "net Digits\n[8x8x1] INPUT\nCONV 4 3x3 -> RELU\nhidden: FC 12 -> RELU\nFC 10\n"
NAMES = tuple(f"digit {number}" for number in range(10))
GRAY = Preprocessing(8, 8, "gray", (0.25,), (0.5,))


def archspec_run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


def write_model(path: Path, text: str = SPEC, output: str | None = None, **about: Any) -> Path:
    graph = archspec.loads(text).graph
    weights = weights_of(randomised(HandNetwork(graph)))
    path.write_bytes(emit(graph, weights, output=output, **about).SerializeToString())
    return path


def write_digits(folder: Path) -> Path:
    return write_model(folder / "digits.onnx", class_names=NAMES, preprocessing=GRAY)


def write_photos(folder: Path) -> Path:
    """A folder of three images, one of them in a folder of its own, and a file that is not an image."""
    photos = folder / "photos"
    (photos / "more").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name, shape in (("a.png", (8, 8)), ("b.jpg", (30, 20, 3)), ("more/c.webp", (9, 40, 3))):
        Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)).save(photos / name)
    (photos / "notes.txt").write_text("not an image")
    return photos
