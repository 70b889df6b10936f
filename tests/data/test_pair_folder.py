"""Folders of images and masks: what is refused, what is left out, what is warned of, and the number of classes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from archspec.cli import main
from archspec.compiler.data.maps.pair_data import pair_data, pair_files
from archspec.compiler.data.maps.pair_folder import is_of_pairs, pair_folder
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from support.pair_folders import write_pairs

VOLUMES = MapVolumes(Volume((12, 12, 3)), Volume((12, 12, 3)))


def data(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def save(path: Path, values: object, mode: type = np.uint8) -> None:
    Image.fromarray(np.array(values, dtype=mode)).save(path)


def mask_of(value: int) -> list[list[int]]:
    return [[0] * 12] * 11 + [[value] * 12]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "shapes", {"train": 6, "val": 3}, 12)


def test_pairs_are_read_from_parts_or_a_tenth_is_held_out(root: Path, tmp_path: Path) -> None:
    found = pair_data(pair_files(pair_folder(root)), VOLUMES, Recipe())
    assert (len(found.train), len(found.held_out), found.held_out_in) == (6, 3, "val")
    assert found.class_names == ("ground", "box", "disc")
    masks = [np.asarray(Image.open(path)) for path in sorted((root / "train/masks").iterdir())]
    assert found.pixels == tuple(np.bincount(np.stack(masks).ravel(), minlength=256)[:3])
    whole = write_pairs(tmp_path / "whole", {"": 20}, 12, names=False)
    one, two = (pair_data(pair_files(pair_folder(whole)), VOLUMES, Recipe(seed=seed)) for seed in (0, 1))
    assert (len(one.train), len(one.held_out), one.class_names) == (18, 2, ("0", "1", "2"))
    assert isinstance(one.held_out, Pairs)
    assert isinstance(two.held_out, Pairs)
    assert {path.stem for path in one.held_out.paths} != {path.stem for path in two.held_out.paths}
    assert [path.stem for path in one.held_out.paths] == [path.stem for path in one.held_out.masks]
    assert is_of_pairs(root)
    assert is_of_pairs(whole)
    assert not is_of_pairs(root / "train/images")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "train/masks/3.png").unlink(), "1 image in `{0}/train/images` has no mask"),
        (lambda root: save(root / "val/masks/1.png", [[0, 1], [1, 0]]), "1 mask differs in size from its image"),
        (lambda root: save(root / "val/masks/1.png", mask_of(7)), "1 mask has values beyond the 3 classes in"),
        (lambda root: save(root / "val/masks/1.png", [[[0] * 3] * 12] * 12), "1 file in `masks` is not a mask"),
        (lambda root: save(root / "train/masks/0.jpg", mask_of(1)), "`{0}/train/masks/0.jpg` and "),
        (lambda root: (root / "val/masks").rename(root / "val/labels"), "`{0}/val` has no folder `masks`"),
        (lambda root: (root / "val").rename(root / "other"), "`{0}` has a folder `train` but no `val`"),
        (lambda root: (root / "classes.txt").write_text("a\nb\na\n"), "`{0}/classes.txt` has the class `a` twice"),
        (lambda root: (root / "classes.txt").write_text("a\n\nb\n"), "line 2 of `{0}/classes.txt` is empty"),
        (lambda root: (root / "classes.txt").write_text("a\n"), "`{0}/classes.txt` names 1 class; expected 2 to 255"),
        (lambda root: (root / "classes.txt").write_bytes(b"\xff\n"), "cannot read `{0}/classes.txt`"),
    ],
)
def test_a_folder_that_cannot_be_trained_on_is_refused(root: Path, change: Callable[[Path], object], said: str) -> None:
    change(root)
    result = data(root)
    assert result.exit_code == 1
    assert said.format(root) in result.stderr.replace("\n", " ")
    assert "error[E450]" in result.stderr


@pytest.mark.parametrize(("value", "said"), [(255, "no values but 0 and 255"), (0, "are of one class, 0")])
def test_masks_of_one_class_are_refused(root: Path, value: int, said: str) -> None:
    (root / "classes.txt").unlink()
    for part in ("train", "val"):
        for path in (root / part / "masks").iterdir():
            save(path, mask_of(value))
    result = data(root)
    assert result.exit_code == 1
    assert said in result.stderr


def test_what_is_odd_is_found_before_training(root: Path) -> None:
    save(root / "train/masks/9.png", mask_of(1))
    (root / "classes.txt").write_text("ground\nbox\ndisc\nstar\n")
    for path in (root / "val/masks").iterdir():
        save(path, mask_of(1))
    save(root / "val/masks/0.png", [[255] * 12] * 12)
    (root / "val/images/1.png").write_bytes((root / "train/images/1.png").read_bytes())
    (root / "val/masks/2.png").write_bytes(b"none")
    result = data(root, "--json", "--input", "12x12x3")
    found = {one["code"] + one["kind"]: one["message"] for one in json.loads(result.stdout)["findings"]}
    assert found == {
        "W434leaks": "1 image in `val` is also in `train`: the accuracy will be too high",
        "W431unreadable": "1 mask cannot be read: training leaves it out",
        "W442lonely": "1 mask is without an image: training does not read it",
        "W441absent": found["W441absent"],
        "W442ignored": "1 mask is ignored altogether: all pixels have the value 255",
    }
    assert [one["message"] for one in json.loads(result.stdout)["findings"] if one["code"] == "W441"] == [
        "no pixel in `train` is of the class `star`",
        "no pixel in `val` is of the classes `disc`, `star`",
    ]
    assert result.exit_code == 0
    assert data(root, "--list", "lonely").stdout == f"{root}/train/masks/9.png\n"


def test_the_text_names_parts_classes_and_sizes(root: Path) -> None:
    lines = data(root, "--input", "12x12x3").stdout.splitlines()
    assert lines[0] == f"`{root}`: 9 images with masks of 3 classes"
    assert lines[1:3] == [
        "train           6 images with masks to train on",
        "val             3 images with masks held out",
    ]
    assert lines[3].startswith("pixels          ground ")
    assert lines[4] == "sizes           12x12 to 12x12 pixels; the median short side is 12"
