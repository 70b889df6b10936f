"""Images with masks: read, varied together, and cropped to what a network outputs."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from archspec.compiler.data.maps.masks import IGNORED, mask_file, read_mask
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

COLOURS = np.array([[0, 0, 0], [250, 30, 30], [30, 250, 30], [30, 30, 250]], dtype=np.uint8)  # of classes
PLAIN = Recipe().changed({"crop": 1.0})


def written(folder: Path, mask: NDArray[np.uint8], image: NDArray[np.uint8] | None = None) -> tuple[Path, Path]:
    """An image that shows the class of each pixel by its colour, and its mask."""
    Image.fromarray(COLOURS[mask % IGNORED] if image is None else image).save(folder / "image.png")
    Image.fromarray(mask).save(folder / "mask.png")
    return folder / "image.png", folder / "mask.png"


def pairs(paths: tuple[Path, Path], recipe: Recipe, size: int = 32, output: int = 32) -> Pairs:
    image, mask = paths
    return Pairs([image], [mask], MapVolumes(Volume((size, size, 3)), Volume((output, output, 4))), recipe)


@pytest.fixture
def blocks(tmp_path: Path) -> tuple[Path, Path]:
    """Blocks of 8x8 pixels of random classes, 48 x 64."""
    mask = np.random.default_rng(0).integers(0, 4, (6, 8)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    return written(tmp_path, mask)


def inside(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The pixels whose neighbours, up to two away, are of their class: no resampling mixes their colour."""
    padded = np.pad(mask, 2, constant_values=254)
    height, width = mask.shape
    shifts = [padded[row : row + height, column : column + width] for row in range(5) for column in range(5)]
    found: NDArray[np.bool_] = np.all([one == mask for one in shifts], axis=0)
    return found


@pytest.mark.parametrize("changes", [{"area": 0.2}, {"scale": (1.0, 2.0)}, {"crop": 1.5}, {"pad": 8}])
def test_crops_and_flips_move_the_mask_with_the_image(blocks: tuple[Path, Path], changes: dict[str, Any]) -> None:
    found = pairs(blocks, PLAIN.changed({**changes, "flip": True})).__getitems__([(0, seed) for seed in range(12)])
    checked = 0
    for image, mask in zip(found.images.numpy(), found.classes.numpy(), strict=True):
        kept = inside(mask) & (mask != IGNORED)
        checked += int(kept.sum())
        guesses = np.abs(image.transpose(1, 2, 0)[:, :, None].astype(int) - COLOURS.astype(int)).sum(-1).argmin(-1)
        assert (guesses[kept] == mask[kept]).all()
        assert set(np.unique(mask)) <= {0, 1, 2, 3, IGNORED}
    assert checked > 1000
    assert len({mask.tobytes() for mask in found.classes.numpy()}) == 12


def test_what_a_pad_adds_is_black_in_the_image_and_ignored_in_the_mask(tmp_path: Path) -> None:
    paths = written(tmp_path, np.full((32, 32), 2, dtype=np.uint8))
    found = pairs(paths, PLAIN.changed({"pad": 8})).__getitems__([(0, seed) for seed in range(8)])
    outside = found.classes == IGNORED
    assert outside.any()
    assert ((found.classes == 2) | outside).all()
    assert torch.equal(outside, (found.images == 0).all(1))


def test_colours_vary_in_the_image_alone(blocks: tuple[Path, Path]) -> None:
    keys = [(0, seed) for seed in range(4)]
    plain, varied = (pairs(blocks, PLAIN.changed({"color": share})).__getitems__(keys) for share in (0.0, 0.5))
    assert torch.equal(plain.classes, varied.classes)
    assert not torch.equal(plain.images, varied.images)


def test_a_mask_is_cropped_to_the_centre_that_a_smaller_output_shows(blocks: tuple[Path, Path]) -> None:
    whole, part = (pairs(blocks, PLAIN, output=side).__getitems__([(0, -1)]) for side in (32, 20))
    assert part.classes.shape == (1, 20, 20)
    assert torch.equal(part.classes, whole.classes[:, 6:26, 6:26])
    assert torch.equal(part.images, whole.images)


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16"])
def test_masks_have_the_values_of_their_files_in_each_mode(tmp_path: Path, mode: str) -> None:
    values = np.random.default_rng(1).integers(0, 2 if mode == "1" else 200, (5, 7)).astype(np.uint8)
    image = Image.fromarray(values)
    if mode == "P":
        image.putpalette([random.Random(0).randrange(256) for _ in range(768)])
    elif mode != "L":
        image = Image.fromarray(values.astype(np.uint16) if mode == "I;16" else values.astype(bool))
    assert image.mode == mode
    image.save(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(read_mask(tmp_path / "mask.png")), values)
    found = mask_file(tmp_path / "mask.png")
    assert found is not None
    assert (found.size, found.pixels) == ((7, 5), tuple(np.bincount(values.ravel(), minlength=256)))


@pytest.mark.parametrize(
    ("name", "pixels", "why"),
    [
        ("colour.png", np.zeros((4, 4, 3), np.uint8), "it has 3 channels (RGB); expected one"),
        ("lossy.jpg", np.zeros((4, 4), np.uint8), "JPEG changes the values of pixels; expected PNG"),
        ("deep.png", np.full((4, 4), 300, np.uint16), "it has values from 300 to 300; expected 0 to 255"),
    ],
)
def test_an_image_that_is_not_a_mask_says_why(tmp_path: Path, name: str, pixels: NDArray[Any], why: str) -> None:
    Image.fromarray(pixels).save(tmp_path / name)
    found = mask_file(tmp_path / name)
    assert found is not None
    assert found.wrong.startswith(why)


def test_an_image_that_its_camera_turned_matches_its_mask(tmp_path: Path) -> None:
    mask = np.zeros((20, 32), dtype=np.uint8)
    mask[:, 16:] = 1
    paths = written(tmp_path, mask)
    about = Image.Exif()
    about[0x0112] = 6  # turned by a quarter: the file has the image as its rows show it
    lying = Image.fromarray(COLOURS[mask]).transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "image.png", exif=about)
    found = pairs(paths, PLAIN).__getitems__([(0, -1), (0, 3)])
    assert not found.damaged
    for image, own in zip(found.images, found.classes, strict=True):
        kept = torch.from_numpy(inside(own.numpy()))
        assert torch.equal((image[0] > 128)[kept], (own == 1)[kept])


def test_a_pair_that_cannot_be_read_is_replaced_in_training_and_left_out_otherwise(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    good = written(tmp_path, np.ones((8, 8), np.uint8))
    image, mask = written(tmp_path / "other", np.ones((9, 9), np.uint8))
    mask.write_bytes(mask.read_bytes()[:40])
    volumes = MapVolumes(Volume((8, 8, 3)), Volume((8, 8, 2)))
    both = Pairs([image, good[0]], [mask, good[1]], volumes, PLAIN)
    replaced = both.__getitems__([(0, 5), (1, 5)])
    assert (replaced.places, replaced.damaged) == ((1, 1), (str(image),))
    left_out = both.__getitems__([(0, -1), (1, -1)])
    assert (left_out.places, left_out.damaged) == ((1,), (str(image),))
    assert both.__getitems__([(0, -1)]).classes.shape == (0, 8, 8)
