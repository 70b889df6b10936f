"""`archspec eval` with test-time views, and with a centre crop of another share."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from sklearn.metrics import confusion_matrix

from archspec.compiler.evaluation.ensemble_member import ensemble_member
from archspec.compiler.weights.trained import open_trained
from support.evals import (
    COLOUR,
    FIXED,
    NAMES,
    as_json,
    evaluated,
    photo_paths,
    probabilities,
    write_weights,
)


def test_a_symmetric_image_equals_its_flip(fixed: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for name in NAMES:
        folder = tmp_path / "even" / "val" / name
        folder.mkdir(parents=True)
        half = chance.integers(0, 256, (10, 7, 3), dtype=np.uint8)
        Image.fromarray(np.concatenate([half, half[:, ::-1]], axis=1)).save(folder / "a.png")
    with_flip = as_json(fixed, "--data", tmp_path / "even", "--tta", "flip")
    assert with_flip["matrix"] == as_json(fixed, "--data", tmp_path / "even")["matrix"]
    assert with_flip["models"][0]["views"] == 2


def test_flip_averages_an_image_and_its_horizontal_flip(fixed: Path, photos: Path, tmp_path: Path) -> None:
    paths, classes = photo_paths(photos)
    mirrored = []
    for number, path in enumerate(paths):
        mirrored.append(tmp_path / f"{number}.png")
        with Image.open(path) as image:
            image.draft("RGB", (14, 10))  # as `archspec run` decodes it
            ImageOps.mirror(ImageOps.fit(image, (14, 10), Image.Resampling.BICUBIC)).save(mirrored[-1])
    together = probabilities(FIXED, fixed, paths) + probabilities(FIXED, fixed, mirrored)
    expected = confusion_matrix(classes, together.argmax(1), labels=range(3)).tolist()
    assert as_json(fixed, "--data", photos, "--tta", "flip")["matrix"] == expected


@pytest.mark.parametrize(("text", "count"), [(COLOUR, 5), (FIXED, 21)])
def test_a_network_that_accepts_any_size_gets_each_scale_whole(
    text: str, count: int, photos: Path, tmp_path: Path
) -> None:
    path = write_weights(tmp_path / "net.safetensors", text)
    found = as_json(path, "--data", photos, "--tta", "scales")
    assert found["models"][0]["views"] == count
    assert found["images"] == 24
    said = evaluated(path, "--data", photos, "--tta", "scales", "--tta", "flip").stdout
    scales = "scales 1, 8/7, 12/7, 15/7, 20/7 of the input"
    assert f"averaged over {2 * count} views of each image ({scales}, flip)" in said


def test_a_centre_crop_of_another_share_may_be_evaluated(fixed: Path, photos: Path) -> None:
    paths, classes = photo_paths(photos)
    for flags, crop in (((), 1.0), (("--eval-crop", "0.5"), 0.5)):
        found = as_json(fixed, "--data", photos, "--all", *flags)
        guesses = probabilities(FIXED, fixed, paths, crop).argmax(1)
        assert found["matrix"] == confusion_matrix(classes, guesses, labels=range(3)).tolist()
        assert found["models"][0]["eval_crop"] == crop
    text = evaluated(fixed, "--data", photos, "--eval-crop", "0.5").stdout
    assert f"{fixed}, the centre 50 % of each side" in text


@pytest.mark.parametrize("share", ["0.05", "1.01", "nan"])
def test_a_centre_crop_out_of_range_is_a_usage_error(fixed: Path, photos: Path, share: str) -> None:
    result = evaluated(fixed, "--data", photos, "--eval-crop", share)
    assert result.exit_code == 2
    assert "expected a number from 0.1 to 1" in result.stderr
    assert "--eval-crop requires --data" in evaluated(fixed, "--eval-crop", "0.875").stderr


def test_every_view_of_a_uniform_image_gives_the_same_result(fixed: Path, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / "even" / name).mkdir(parents=True)
        Image.new("RGB", (40, 30), (80 * number, 200, 30)).save(tmp_path / "even" / name / "a.png")
    flags = (fixed, "--data", tmp_path / "even", "--all")
    plain = as_json(*flags)["matrix"]
    for views_ in (["10-crop"], ["scales"], ["10-crop", "scales", "flip"]):
        assert as_json(*flags, *(part for one in views_ for part in ("--tta", one)))["matrix"] == plain


@pytest.mark.parametrize("wanted", [(), ("flip",), ("10-crop",), ("scales",)])
def test_the_probabilities_of_all_views_together_add_up_to_1(fixed: Path, wanted: tuple[str, ...]) -> None:
    """So that networks with more views do not count more in an ensemble."""
    member = ensemble_member(open_trained(fixed), NAMES, wanted, torch.device("cpu"), 4)
    sizes = [view.size(member.trained.preprocessing) for view in member.views]
    pixels = {(width, height): torch.rand(2, sizes.count((width, height)), 3, height, width) for width, height in sizes}
    torch.testing.assert_close(member(pixels).sum(1), torch.ones(2, dtype=torch.float64))
