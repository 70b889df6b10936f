"""What training does to images: crops are inside them, mixtures keep their shares, the seed alone decides."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torch.nn import functional

from archspec.compiler.data.augmentation.boxes import covering, crop_box, resized_crop
from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.data.augmentation.step_images import StepImages
from archspec.compiler.data.dataset import Batch, Shuffled
from archspec.compiler.data.decode import load
from archspec.compiler.data.photos import Photos
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

SIZES = st.tuples(st.integers(1, 900), st.integers(1, 900))
SEEDS = st.integers(0, 2**60)


@settings(max_examples=300, deadline=None)
@given(SIZES, SIZES, SEEDS, st.sampled_from([{"crop": 1.0}, {"crop": 1.5}, {"scale": (1.14, 2.14)}, {"area": 0.08}]))
def test_every_crop_is_inside_its_image(
    size: tuple[int, int], wanted: tuple[int, int], seed: int, how: dict[str, Any]
) -> None:
    recipe = Recipe(**{"crop": 1.0, **how})
    left, top, right, bottom = crop_box(size, wanted, recipe, random.Random(seed))
    assert -1e-6 <= left < right <= size[0] + 1e-6
    assert -1e-6 <= top < bottom <= size[1] + 1e-6
    if "area" not in how:
        assert (right - left) / (bottom - top) == pytest.approx(wanted[0] / wanted[1])
    if "scale" in how:  # the short side is so many times the input's
        zoom = min(size[0] / (right - left), size[1] / (bottom - top))
        assert 1.14 - 1e-6 <= zoom <= 2.14 + 1e-6


SHAPES: list[tuple[dict[str, Any], tuple[int, int]]] = [
    *(({"crop": 1.25}, size) for size in ((400, 100), (100, 400), (200, 200))),
    *(({"scale": (1.2, 1.5)}, size) for size in ((400, 100), (100, 400), (200, 200))),
    ({"area": 0.3}, (200, 200)),
]


@pytest.mark.parametrize(("how", "size"), SHAPES)
def test_crops_reach_every_edge_of_the_image(how: dict[str, Any], size: tuple[int, int]) -> None:
    wanted, edges = (60, 60), (0, 0, *size)
    boxes = [crop_box(size, wanted, Recipe(**{"crop": 1.0, **how}), random.Random(seed)) for seed in range(400)]
    for side, extreme in enumerate((min, min, max, max)):
        assert extreme(box[side] for box in boxes) == pytest.approx(edges[side], abs=4)
    centres = np.mean([((left + right) / 2, (top + bottom) / 2) for left, top, right, bottom in boxes], axis=0)
    np.testing.assert_allclose(centres / size, 0.5, atol=0.05)


@pytest.mark.parametrize("how", [{"crop": 1.143}, {"scale": (1.143, 2.286)}, {"area": 0.08}], ids=str)
def test_every_pixel_of_a_portrait_photograph_is_trained_on(how: dict[str, Any]) -> None:
    """The centre square of 12 x 20 pixels is 60 % of them."""
    covered = np.zeros((20, 12), dtype=int)
    for seed in range(3000):
        box = crop_box((12, 20), (32, 32), Recipe(**{"crop": 1.0, **how}), random.Random(seed))
        left, top, right, bottom = map(round, box)
        covered[top:bottom, left:right] += 1
    assert covered.min() > 0


@settings(max_examples=200, deadline=None)
@given(SIZES, SEEDS)
def test_a_resized_crop_has_its_share_and_ratio(size: tuple[int, int], seed: int) -> None:
    left, top, right, bottom = resized_crop(size, 0.3, random.Random(seed))
    ratio = (right - left) / (bottom - top)
    assert 3 / 4 - 1e-6 <= ratio <= 4 / 3 + 1e-6
    if 3 / 4 <= size[0] / size[1] <= 4 / 3:
        assert (right - left) * (bottom - top) >= 0.3 * size[0] * size[1] - 1e-6


def test_a_covering_box_is_centred() -> None:
    assert covering((300, 100), 1.0) == (100, 0, 200, 100)
    assert covering((100, 300), 2.0) == (0, 125, 100, 175)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A gradient to the right and down, as a JPEG large enough to be decoded at half its size."""
    rows, columns = np.mgrid[0:600, 0:800]
    pixels = np.stack([columns * 255 / 799, rows * 255 / 599, np.zeros_like(rows)], -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", quality=95)
    return tmp_path / "photo.jpg"


def one(path: Path, recipe: Recipe, seed: int, volume: tuple[int, ...] = (48, 64, 3)) -> torch.Tensor:
    photos = Photos([path], torch.tensor([0]), Volume(volume), recipe)
    return photos.__getitems__([(0, seed)]).images[0]


def test_an_image_without_augmentation_equals_the_input_of_archspec_run(photo: Path) -> None:
    seen = one(photo, Recipe(flip=True, color=0.5), -1)
    plain = Preprocessing(48, 64, "RGB", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert np.array_equal(seen.numpy() / np.float32(255), load(photo, plain))


@pytest.mark.parametrize("recipe", [Recipe(crop=1.0, flip=True), Recipe(area=0.2, flip=True), Recipe(scale=(1.2, 2.0))])
def test_augmentation_depends_on_the_seed_alone(photo: Path, recipe: Recipe) -> None:
    assert torch.equal(one(photo, recipe, 7), one(photo, recipe, 7))
    assert len({one(photo, recipe, seed).float().mean().item() for seed in range(9)}) > 1 or recipe.crop == 1.0


def test_half_of_the_images_are_flipped_horizontally(photo: Path) -> None:
    recipe = Recipe(crop=1.0, flip=True)
    plain = one(photo, Recipe(crop=1.0), 0)
    seen = [one(photo, recipe, seed) for seed in range(40)]
    assert all(torch.equal(image, plain) or torch.equal(image, plain.flip(2)) for image in seen)
    assert 10 < sum(torch.equal(image, plain) for image in seen) < 30


def test_a_crop_is_one_resize_of_its_part(photo: Path) -> None:
    """Red says which columns a crop shows, green which rows: both follow the box."""
    seen = one(photo, Recipe(area=0.3), 3).float()
    with Image.open(photo) as opened:
        whole = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"), dtype=np.float32)
    left, right = seen[0, 0, 0] / 255 * 799, seen[0, 0, -1] / 255 * 799
    top, bottom = seen[1, 0, 0] / 255 * 599, seen[1, -1, 0] / 255 * 599
    part = whole[round(top.item()) : round(bottom.item()) + 1, round(left.item()) : round(right.item()) + 1]
    assert part.mean((0, 1)) == pytest.approx(seen.mean((1, 2)).numpy(), abs=3)


@pytest.mark.parametrize("recipe", [Recipe(area=0.08), Recipe(crop=1.25), Recipe(scale=(1.2, 2.0))])
@pytest.mark.parametrize("orientation", [1, 6])
def test_decoding_at_a_smaller_size_shows_the_same_part(
    tmp_path: Path, photo: Path, recipe: Recipe, orientation: int
) -> None:
    """A JPEG may be decoded smaller, a PNG may not; what is seen differs by the two ways of making it small."""
    with Image.open(photo) as opened:
        pixels = opened.convert("RGB")
    exif = Image.Exif()
    exif[274] = orientation
    pixels.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    pixels.save(tmp_path / "turned.png", exif=exif)
    ImageOps.exif_transpose(Image.open(tmp_path / "turned.png")).save(tmp_path / "upright.png")
    for seed in range(20):
        small, whole = (one(tmp_path / name, recipe, seed).float() for name in ("turned.jpg", "turned.png"))
        assert (small - whole).abs().mean() < 1.5
        assert torch.equal(whole, one(tmp_path / "upright.png", recipe, seed).float())


def test_a_photograph_is_decoded_no_larger_than_its_crop_needs(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    resize = Image.Image.resize

    def noted(image: Image.Image, *arguments: Any) -> Image.Image:
        sizes.append(image.size)
        return resize(image, *arguments)

    monkeypatch.setattr(Image.Image, "resize", noted)
    for seed in range(40):
        one(photo, Recipe(area=0.01), seed)
    assert set(sizes) == {(100, 75), (200, 150), (400, 300), (800, 600)}


# ---- whole batches
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, 3, 16, 16, generator=generator), torch.arange(6)


def mixed(images: torch.Tensor, classes: torch.Tensor, recipe: Recipe, seed: int) -> tuple[torch.Tensor, Target]:
    """A step of one batch, whose images are normalised already."""
    step = StepImages(recipe, lambda given: (given.images, given.classes))
    ((own, target),) = step.parts([Batch(images, classes)], seed)
    assert isinstance(target, Target)
    return own, target


def test_mixup_is_the_weighted_sum_of_neighbours() -> None:
    images, classes = batch()
    found, target = mixed(images.clone(), classes, Recipe(mixup=0.5), 1)
    assert target.second is not None
    assert target.share is not None
    assert ((target.share > 0) & (target.share < 1)).all()
    assert len(target.share.unique()) == len(images)
    share = target.share[:, None, None, None]
    torch.testing.assert_close(found, share * images + (1 - share) * images[target.second])


def test_cutmix_shows_as_much_of_each_image_as_its_share_says() -> None:
    images, classes = batch()
    for seed in range(20):
        found, target = mixed(images.clone(), classes, Recipe(cutmix=1.0), seed)
        assert target.share is not None
        own = (found == images).all(1).float().mean((1, 2))
        torch.testing.assert_close(own, target.share)
        assert ((found == images) | (found == images[target.second])).all()


def test_cutout_blanks_one_square_of_each_image() -> None:
    images, classes = batch()
    found, target = mixed(images.clone(), classes, Recipe(cutout=0.5), 3)
    assert target.second is None
    for image in found:
        rows, columns = (image == 0).all(0).nonzero(as_tuple=True)
        assert len(rows) == (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1) <= 64


@pytest.mark.parametrize("recipe", [Recipe(cutout=0.5), Recipe(cutmix=1.0)], ids=["cutout", "cutmix"])
def test_squares_are_centred_anywhere_so_that_every_edge_is_reached_as_often(recipe: Recipe) -> None:
    reached = torch.zeros(4)
    for seed in range(150):
        images, classes = batch()
        changed = (mixed(images.clone(), classes, recipe, seed)[0] != images).any(1).float()
        rows, columns = changed.amax(2).mean(0), changed.amax(1).mean(0)
        reached += torch.stack([rows[0], rows[-1], columns[0], columns[-1]]) / 150
    assert ((reached > 0.2) & (reached < 0.6)).all(), reached
    assert reached.max() < 1.5 * reached.min(), reached


def test_a_mixed_loss_is_that_of_soft_classes() -> None:
    """torch's own cross entropy takes probabilities."""
    images, classes = batch()
    _, target = mixed(images, classes, Recipe(mixup=1.0), 5)
    assert target.second is not None
    assert target.share is not None
    scores = torch.randn(6, 6)
    share = target.share[:, None]
    soft = share * functional.one_hot(classes, 6) + (1 - share) * functional.one_hot(target.second, 6)
    for smoothing in (0.0, 0.1):
        expected = functional.cross_entropy(scores, soft, label_smoothing=smoothing)
        torch.testing.assert_close(target.loss(scores, smoothing), expected)
        unpacked = Target.unpacked(target.packed())
        torch.testing.assert_close(unpacked.loss(scores, smoothing), expected)


DIVIDED = Recipe(mixup=0.8, cutmix=1.0, cutout=0.3, erasing=0.5)


@pytest.mark.parametrize(("processes", "accumulate"), [(2, 1), (1, 2), (1, 3), (4, 1), (2, 3)])
@pytest.mark.parametrize(
    "recipe",
    [Recipe(mixup=0.8), Recipe(cutmix=1.0), Recipe(cutout=0.5), DIVIDED],
    ids=["mixup", "cutmix", "cutout", "all"],
)
def test_the_images_of_a_step_do_not_depend_on_processes_and_accumulation(
    recipe: Recipe, processes: int, accumulate: int
) -> None:
    """As the sampler deals the images of an epoch; the second of its steps."""
    stored = torch.randn(60, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    def step(rank: int, processes: int, accumulate: int) -> list[tuple[torch.Tensor, Target]]:
        keys = list(Shuffled(len(stored), 1, rank, processes))[24 // processes : 48 // processes]
        places = torch.tensor([place for place, _ in keys]).chunk(accumulate)
        taken = [Batch(stored[part], part) for part in places]
        normalise = lambda batch: (batch.images.clone(), batch.classes)  # noqa: E731
        found = StepImages(recipe, normalise, rank, processes).parts(taken, 7)
        return [(images, target) for images, target in found if isinstance(target, Target)]

    whole, parts = step(0, 1, 1), [part for rank in range(processes) for part in step(rank, processes, accumulate)]
    assert len(parts) == processes * accumulate
    images, packed = (torch.cat(one) for one in zip(*((own, target.packed()) for own, target in parts), strict=True))
    expected, target = whole[0]
    assert (target.second is None) == (not recipe.mixup and not recipe.cutmix)
    order, expected_order = packed[:, 0].argsort(), target.first.argsort()
    assert torch.equal(packed[order], target.packed()[expected_order])
    assert torch.equal(images[order], expected[expected_order])
    assert not torch.equal(expected, stored[target.first])
