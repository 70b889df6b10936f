"""Test-time views: which there are, what each shows, and what it weighs."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from archspec.compiler.data.preprocessing import Preprocessing, prepare
from archspec.compiler.evaluation.tta_views import View, cut, described, largest_scale, views
from archspec.recipe import Recipe


def always(_: Fraction) -> bool:
    return True


def never(_: Fraction) -> bool:
    return False


def test_the_views_are_those_of_the_papers() -> None:
    ten = views(["10-crop"], always)
    assert len(ten) == 10
    assert {view.scale for view in ten} == {Fraction(8, 7)}
    assert len({(view.place, view.is_flipped) for view in ten}) == 10
    dense, fixed = (views(["scales"], always if takes else never) for takes in (True, False))
    assert [round(224 * view.scale) for view in dense] == [224, 256, 384, 480, 640]
    assert len(fixed) == 1 + 4 * 5
    for wanted in ([], ["flip"], ["10-crop"], ["scales"], ["flip", "scales"], ["10-crop", "scales"]):
        for takes in (True, False):
            found = views(wanted, always if takes else never)
            assert sum(view.weight for view in found) == pytest.approx(1)
            assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("recipe", "sides"),
    [
        (Recipe(area=0.08), [224, 256, 384, 480, 640]),
        (Recipe(area=0.25), [224, 256, 384]),
        (Recipe(scale=(1.143, 2.143)), [224, 256, 384, 480]),
        (Recipe(crop=1.125), [224, 256]),
        (Recipe(crop=1.0), [224]),
        (Recipe(pad=4), [224]),
    ],
)
def test_scales_are_not_larger_than_those_of_training(recipe: Recipe, sides: list[int]) -> None:
    found = views(["scales"], always, largest_scale(recipe.to_dict()))
    assert [round(224 * view.scale) for view in found] == sides
    assert sum(view.weight for view in found) == pytest.approx(1)
    said = described(["scales", "flip", "flip"], [found, found])
    assert said.startswith(f"averaged over {len(sides)} views of each image (scale")
    assert ("training showed no larger one, flip)" in said) == (len(sides) == 1)
    assert ("scales 1, 8/7, 12/7 of the input, flip)" in said) == (len(sides) == 3)


def test_a_view_of_the_whole_image_is_the_centre_crop_of_its_preprocessing() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 8), dtype=np.uint8))
    preprocessing = Preprocessing(6, 6, "gray", (0.0,), (1.0,), 0.75)
    (whole,) = cut(image, views([], always), preprocessing)
    np.testing.assert_array_equal(whole, prepare(image, preprocessing))
    assert not np.array_equal(whole, prepare(image, Preprocessing(6, 6, "gray", (0.0,), (1.0,))))


def test_crops_are_the_corners_and_the_centre() -> None:
    large = Image.fromarray(np.arange(16 * 16, dtype=np.uint8).reshape(16, 16))
    preprocessing = Preprocessing(14, 14, "gray", (0.0,), (1 / 255,))
    found = cut(large, views(["10-crop"], never), preprocessing)
    corners = {(round(float(piece[0, 0, 0])), round(float(piece[0, 0, -1]))) for piece in found}
    plain = {(16 * top + left, 16 * top + left + 13) for top, left in ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2))}
    assert corners == plain | {(last, first) for first, last in plain}


@pytest.mark.parametrize(
    ("place", "top", "left"),
    [((0.5, 0.5), 2, 2), ((0.0, 0.0), 0, 0), ((1.0, 0.0), 0, 5), ((0.0, 1.0), 4, 0), ((1.0, 1.0), 4, 5)],
)
def test_each_crop_lies_at_its_place_and_is_flipped_from_left_to_right(
    place: tuple[float, float], top: int, left: int
) -> None:
    large = np.arange(12 * 15, dtype=np.uint8).reshape(12, 15)  # 3/2 of 8 and 10
    preprocessing = Preprocessing(8, 10, "gray", (0.0,), (1 / 255,))
    wanted = [View(Fraction(3, 2), place, is_flipped, 0.5) for is_flipped in (False, True)]
    plain, flipped = cut(Image.fromarray(large), wanted, preprocessing)
    np.testing.assert_allclose(plain[0], large[top : top + 8, left : left + 10], atol=0.01)
    np.testing.assert_array_equal(flipped, plain[:, :, ::-1])


def test_the_views_of_a_size_share_its_weight() -> None:
    found = views(["10-crop", "scales"], always)
    by_scale = {scale: sum(view.weight for view in found if view.scale == scale) for scale in {v.scale for v in found}}
    assert list(by_scale.values()) == pytest.approx([1 / 5] * 5)
