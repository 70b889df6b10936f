"""Small trained networks and folders of images, for the tests of `archspec eval`."""

from pathlib import Path

import numpy as np
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.data.decode import load
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.weights import files as weights

GRAY = "net Gray\n[8x8x1] INPUT\nCONV 8 3x3 p1 -> BN -> RELU -> POOL 2x2 s2\nFC 10\n"
COLOUR = "net Colour\n[12x12x3] INPUT\nCONV 8 3x3 p1 -> RELU\nGAP -> FC 3\n"  # takes any size
FIXED = "net Fixed\n[10x14x3] INPUT\nCONV 4 3x3 -> RELU -> FC 3 -> SOFTMAX\n"
NAMES = ("blue", "green", "red")
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def evaluated(*arguments: str | Path) -> Result:
    """Evaluate; images are decoded in this process unless `arguments` say otherwise: to start others takes longer."""
    return run("eval", *arguments, *(() if "--workers" in arguments else ("--workers", "0")))


def write_weights(path: Path, text: str, names: tuple[str, ...] = NAMES, seed: int = 1) -> Path:
    """Weights as `archspec train` leaves them, of random values that make different classes of different images."""
    network = archspec.loads(text, path.stem)
    module = build(network, seed=seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed)))
    about = {
        "bundle": network.bundle.to_dict(),
        "class_names": list(names),
        "input": list(network.input),
        "mean": list(MEAN),
        "std": list(STD),
        "recipe": {"seed": 0, "area": 0.08},
        "top1": 0.5,
    }
    weights.write(path, module.state_dict(), about)
    return path


def write_photos(root: Path, count: int = 9, split: str = "val") -> Path:
    """Noise with a tint, by class: `count` images of the first class, one fewer of each next."""
    chance = np.random.default_rng(3)
    for number, name in enumerate(NAMES):
        folder = root / split / name
        folder.mkdir(parents=True)
        for place in range(count - number):
            pixels = chance.integers(0, 190, (20 + place, 31, 3))
            pixels[:, :, 2 - number] += 60
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{place}.{'jpg' if place % 2 else 'png'}")
    return root


def photo_paths(root: Path) -> tuple[list[Path], list[int]]:
    """The images of a folder of classes in order, and their classes."""
    paths = sorted(root.rglob("*.*g"))
    return paths, [NAMES.index(path.parent.name) for path in paths]


def probabilities(text: str, path: Path, images: list[Path], crop: float = 1.0) -> NDArray[np.float64]:
    """What the network says, computed without anything of `archspec eval`."""
    network = archspec.loads(text)
    module = build(network).eval()
    module.load_state_dict(weights.read(path)[0])
    height, width, _ = network.input
    pixels = [load(image, Preprocessing(height, width, "RGB", MEAN, STD, crop)) for image in images]
    with torch.no_grad():
        output = module(torch.from_numpy(np.stack(pixels))).double()
    found: NDArray[np.float64] = (output if "SOFTMAX" in text else output.softmax(1)).numpy()
    return found
