"""RandAugment, random erasing and padding, against computations by hand."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from archspec.compiler.data.augmentation.boxes import crop_box, cropped
from archspec.compiler.data.augmentation.erasing import erase
from archspec.compiler.data.augmentation.randaugment import FIXED, OPERATIONS, SIGNED, UNSIGNED, randaugmented
from archspec.compiler.data.photos import Photos
from archspec.compiler.data.preprocessing import IMAGENET
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

Pixels = NDArray[np.float64]
CHANCE = np.random.default_rng(0)
NOISE = CHANCE.integers(20, 230, (24, 40, 3)).astype(np.uint8)
ROWS, COLUMNS = np.mgrid[0:24, 0:40].astype(float)
MEAN = np.array(IMAGENET[0]) * 255


# ---- RandAugment: what each operation does to bytes, by hand
def gray(pixels: Pixels) -> Pixels:
    """ITU-R 601-2, as Pillow rounds it."""
    return np.round(pixels @ [0.299, 0.587, 0.114])[..., None]


def equalized(pixels: Pixels) -> Pixels:
    """Each channel by its cumulative histogram, as Pillow counts it."""
    found = np.empty_like(pixels)
    for channel in range(3):
        counts = np.bincount(pixels[..., channel].astype(int).ravel(), minlength=256)
        step = (counts.sum() - counts[counts > 0][-1]) // 255
        before = np.concatenate([[0], counts.cumsum()[:-1]])
        table = np.minimum((step // 2 + before) // step, 255)
        found[..., channel] = table[pixels[..., channel].astype(int)]
    return found


def stretched(pixels: Pixels) -> Pixels:
    low, high = pixels.min((0, 1)), pixels.max((0, 1))
    found: Pixels = (pixels - low) * 255 / (high - low)
    return found


BY_HAND: dict[str, Callable[[Pixels, float], Pixels]] = {
    "brightness": lambda pixels, level: pixels * (1 + 0.9 * level),
    "color": lambda pixels, level: gray(pixels) + (1 + 0.9 * level) * (pixels - gray(pixels)),
    "contrast": lambda pixels, level: (
        np.round(gray(pixels).mean()) + (1 + 0.9 * level) * (pixels - np.round(gray(pixels).mean()))
    ),
    "posterize": lambda pixels, level: pixels - pixels % 2 ** int(4 * level),
    "solarize": lambda pixels, level: np.where(pixels < 256 - int(256 * level), pixels, 255 - pixels),
    "solarize_add": lambda pixels, level: np.where(pixels < 128, np.minimum(pixels + int(110 * level), 255), pixels),
    "autocontrast": lambda pixels, _: stretched(pixels),
    "equalize": lambda pixels, _: equalized(pixels),
    "invert": lambda pixels, _: 255 - pixels,
}


@pytest.mark.parametrize("level", [0.25, 0.9, 1.0])
@pytest.mark.parametrize("name", BY_HAND)
def test_an_operation_on_colours_equals_its_formula(name: str, level: float) -> None:
    for own in (level, -level) if name in SIGNED else (level,):
        found = np.asarray(OPERATIONS[name](Image.fromarray(NOISE), own), dtype=float)
        expected = BY_HAND[name](NOISE.astype(float), own).clip(0, 255)
        np.testing.assert_allclose(found, expected, atol=1.01)


def test_sharpness_goes_away_from_a_smoothed_image() -> None:
    """Pillow's kernel has 5 in the middle and 1 around it; the edges stay."""
    pixels = NOISE.astype(float)
    smooth = sum(np.roll(pixels, (row, column), (0, 1)) for row in (-1, 0, 1) for column in (-1, 0, 1))
    smooth = (smooth + 4 * pixels) / 13
    found = np.asarray(OPERATIONS["sharpness"](Image.fromarray(NOISE), 0.5), dtype=float)
    expected = (smooth + 1.45 * (pixels - smooth)).clip(0, 255)
    np.testing.assert_allclose(found[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1.5)


# where the pixel at (x, y) of the result comes from: 40 x 24 pixels, turned around their centre
MOVED: dict[str, Callable[[float], tuple[Pixels, Pixels]]] = {
    "translate_x": lambda level: (COLUMNS + 0.45 * level * 40, ROWS),
    "translate_y": lambda level: (COLUMNS, ROWS + 0.45 * level * 24),
    "shear_x": lambda level: (COLUMNS + 0.3 * level * (ROWS + 0.5), ROWS),
    "shear_y": lambda level: (COLUMNS, ROWS + 0.3 * level * (COLUMNS + 0.5)),
    "rotate": lambda level: (
        19.5 + np.cos(level * np.pi / 6) * (COLUMNS - 19.5) - np.sin(level * np.pi / 6) * (ROWS - 11.5),
        11.5 + np.sin(level * np.pi / 6) * (COLUMNS - 19.5) + np.cos(level * np.pi / 6) * (ROWS - 11.5),
    ),
}


@pytest.mark.parametrize("level", [-1.0, -0.4, 0.3, 0.9])
@pytest.mark.parametrize("name", MOVED)
def test_a_geometric_operation_moves_pixels_and_fills_with_the_mean(name: str, level: float) -> None:
    """Resampling a plane leaves it a plane, up to rounding: red says the column, green the row."""
    plane = np.stack([6 * COLUMNS, 10 * ROWS, np.zeros_like(ROWS)], -1).round().astype(np.uint8)
    found = np.asarray(OPERATIONS[name](Image.fromarray(plane), level), dtype=float)
    columns, rows = MOVED[name](level)
    inside = (columns > 2) & (columns < 37) & (rows > 2) & (rows < 21)
    assert inside.any()
    np.testing.assert_allclose(found[inside][:, 0], 6 * columns[inside], atol=2)
    np.testing.assert_allclose(found[inside][:, 1], 10 * rows[inside], atol=2)
    outside = (columns < -2) | (columns > 41) | (rows < -2) | (rows > 25)
    assert outside.any() or abs(level) < 0.5
    np.testing.assert_allclose(found[outside], np.broadcast_to(MEAN, found[outside].shape), atol=1)


def test_every_operation_is_compared_with_a_computation_by_hand() -> None:
    assert {*BY_HAND, *MOVED, "sharpness"} == OPERATIONS.keys()
    assert len(OPERATIONS) == len(SIGNED) + len(UNSIGNED) + len(FIXED) == 15


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_magnitude_0_leaves_an_image_as_it_is(mode: str) -> None:
    image = Image.fromarray(NOISE).convert(mode)
    for name in {**SIGNED, **UNSIGNED}:
        assert np.array_equal(np.asarray(OPERATIONS[name](image, 0.0)), np.asarray(image)), name
    for name in OPERATIONS:
        assert OPERATIONS[name](image, 1.0).mode == mode


def test_a_quarter_of_the_images_keep_both_operations_out() -> None:
    """Each of two operations is applied half of the time; the seed alone decides."""
    image = Image.fromarray(NOISE)
    found = [np.asarray(randaugmented(image, 9.0, random.Random(seed))) for seed in range(400)]
    again = [np.asarray(randaugmented(image, 9.0, random.Random(seed))) for seed in range(20)]
    assert all(np.array_equal(*both) for both in zip(found, again, strict=False))
    assert 70 < sum(np.array_equal(one, NOISE) for one in found) < 130
    assert len({one.tobytes() for one in found}) > 200


# ---- random erasing
def test_erasing_replaces_a_box_of_the_papers_area_by_noise_at_its_rate() -> None:
    images = torch.full((1000, 3, 32, 48), 7.0)
    erase(images, 0.25, [random.Random(seed) for seed in range(1000)])
    changed = (images != 7).all(1)
    assert torch.equal(changed, (images != 7).any(1))
    erased = changed.flatten(1).any(1)
    assert 200 < erased.sum() < 300
    areas = []
    for mask in changed[erased]:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        height, width = int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)
        assert mask.sum() == height * width  # one full box
        assert 0.2 < height / width < 5
        areas.append(height * width / (32 * 48))
    assert 0.01 < min(areas) < 0.04
    assert 0.3 < max(areas) < 0.36
    assert np.mean(areas) == pytest.approx((0.02 + 1 / 3) / 2, abs=0.03)
    noise = images[changed[:, None].expand_as(images)]
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)


# ---- padding
def test_a_padded_crop_is_a_part_of_the_image_with_black_around_it(tmp_path: Path) -> None:
    """He et al. 2015, section 4.2: 4 pixels on each side, and one of the 9 x 9 crops of the image's size."""
    small = NOISE[:16, :16]
    Image.fromarray(small).save(tmp_path / "small.png")
    padded = np.pad(small, ((4, 4), (4, 4), (0, 0)))
    places = {padded[row : row + 16, column : column + 16].tobytes() for row in range(9) for column in range(9)}
    recipe, image = Recipe(pad=4), Image.fromarray(small)
    boxes = [crop_box((16, 16), (16, 16), recipe, random.Random(seed)) for seed in range(800)]
    found = {np.asarray(cropped(image, box, (16, 16))).tobytes() for box in boxes}
    assert found == places
    photos = Photos([tmp_path / "small.png"], torch.tensor([0]), Volume((16, 16, 3)), recipe)
    seen = photos.__getitems__([(0, seed) for seed in (-1, *range(20))]).images.permute(0, 2, 3, 1).contiguous().numpy()
    assert np.array_equal(seen[0], small)
    assert {one.tobytes() for one in seen} <= places
    assert len({one.tobytes() for one in seen}) > 10


@pytest.mark.parametrize("size", [(60, 100), (100, 60), (32, 32), (7, 100)])
def test_a_padded_crop_reaches_every_edge_of_the_padded_photograph(size: tuple[int, int]) -> None:
    boxes = [crop_box(size, (32, 32), Recipe(pad=4), random.Random(seed)) for seed in range(1500)]
    around = 4 * min(size) / 32
    for side, extreme, edge in (
        (0, min, -around),
        (1, min, -around),
        (2, max, size[0] + around),
        (3, max, size[1] + around),
    ):
        assert extreme(box[side] for box in boxes) == pytest.approx(edge)
    image = Image.new("L", size, 255)
    for box in boxes[:100]:
        pixels = np.asarray(cropped(image, box, (32, 32)))
        rows, columns = (pixels == 255).any(1), (pixels == 255).any(0)
        assert (pixels == 255).sum() == rows.sum() * columns.sum() >= 28 * 28
        assert (pixels == 0).sum() == pixels.size - (pixels == 255).sum()
