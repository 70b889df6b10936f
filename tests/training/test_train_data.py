"""Training: what a run takes from its data, and which errors bad folders of images give."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from safetensors.torch import load_file

from archspec.cli import main
from archspec.compiler.data.digits import digits
from archspec.compiler.data.folder import folder
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

COLOUR = "net Colour\n[16x16x3] INPUT\nCONV 8 3x3 s2 p1 -> BN -> RELU\nGAP -> FC 5\n"


@pytest.fixture
def colour(tmp_path: Path) -> Path:
    path = tmp_path / "colour.arch"
    path.write_text(COLOUR)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes that a glance tells apart, dark and light, in both file formats."""
    chance = np.random.default_rng(0)
    for split, count in (("train", 24), ("val", 6)):
        for name, base in (("dark", 40), ("light", 200)):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = (base + chance.integers(-30, 30, (20 + number % 3, 24, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.{'jpg' if number % 2 else 'png'}")
    return tmp_path / "photos"


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_the_number_of_classes_follows_the_data(colour: Path, tmp_path: Path) -> None:
    result = train(colour, "--out", tmp_path / "run", "--epochs", "1")
    assert "Colour outputs 5 classes, the data have 10: using 10 classes" in result.stderr
    assert load_file(tmp_path / "run" / "weights.safetensors")["fc1.weight"].shape == (10, 8)


def test_a_network_trained_on_a_folder_can_be_exported_and_run(colour: Path, photos: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "run", tmp_path / "net.onnx"
    flags = ("--epochs", "6", "--batch", "8", "--lr", "0.05", "--workers", "1", "--color", "0.1")
    result = train(colour, "--data", photos, "--out", out, *flags)
    assert result.exit_code == 0, result.output
    assert "2 classes, 48 images to train on, 12 held out in `val`" in result.stderr
    assert json.loads((out / "summary.json").read_text())["top1"] == 1.0
    exported = CliRunner().invoke(main, ["export", str(out / "weights.safetensors"), "-o", str(model)])
    assert exported.exit_code == 0, exported.output
    ran = CliRunner().invoke(main, ["run", str(model), str(photos / "val" / "dark"), "--json"])
    assert ran.exit_code == 0, ran.output
    assert "dark" in ran.stdout


def test_bad_folders_get_one_message_each(colour: Path, photos: Path, tmp_path: Path) -> None:
    empty, single, half = tmp_path / "empty", tmp_path / "single", tmp_path / "half"
    empty.mkdir()
    (single / "cats").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(single / "cats" / "a.png")
    (half / "train").mkdir(parents=True)
    cases = {
        empty: "has no folders of images",
        single: "has only one class, `cats`",
        half: "has a folder `train` but no `val`",
        tmp_path / "missing": "no such folder",
    }
    for place, said in cases.items():
        result = train(colour, "--data", place, "--out", tmp_path / "run", "--epochs", "1")
        assert result.exit_code == 1, result.output
        assert said in result.stderr
        assert "Traceback" not in result.output


def refused_folder(spec: Path, folder: Path) -> str:
    """What a run says of a folder that it refuses, on one line."""
    result = train(spec, "--data", folder, "--out", folder.parent / "run", "--epochs", "1", "--workers", "0")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "error[E450]" in result.stderr
    return " ".join(result.stderr.split())


def test_a_class_whose_name_is_not_text_is_refused(colour: Path, photos: Path) -> None:
    for split in ("train", "val"):
        os.rename(os.fsencode(photos / split / "dark"), os.fsencode(photos / split) + b"/d\xe4rk")  # noqa: PTH104
    assert "'d\\udce4rk'" in refused_folder(colour, photos)


def test_hidden_folders_and_links_below_a_class_are_ignored(photos: Path) -> None:
    plain = folder(photos, Volume((8, 8, 3)), Recipe())
    (photos / "train" / ".cache").mkdir()
    shutil.copytree(photos / "train" / "dark", photos / "train" / "light" / ".thumbnails")
    shutil.copy(photos / "train" / "dark" / "0.png", photos / "train" / "light" / "._0.png")
    (photos / "train" / "light" / "up").symlink_to(photos)
    (photos / "train" / "loop").symlink_to(photos / "train" / "loop")
    found = folder(photos, Volume((8, 8, 3)), Recipe())
    assert (found.class_names, len(found.train)) == (plain.class_names, len(plain.train)) == (("dark", "light"), 48)
    assert found.fingerprint == plain.fingerprint


@pytest.mark.parametrize("target", ["train", ".", "train/dark", "train/dark/inner"])
def test_a_link_that_makes_one_folder_two_classes_is_refused(target: str, colour: Path, photos: Path) -> None:
    (photos / "train" / "dark" / "inner").mkdir()
    (photos / "train" / "more").symlink_to(photos / target)
    said = refused_folder(colour, photos)
    assert "is a link to a folder that contains it" in said or "are the same folder" in said


def test_a_link_to_a_folder_elsewhere_is_a_class(photos: Path, tmp_path: Path) -> None:
    (photos / "train" / "dark").rename(tmp_path / "elsewhere")
    (photos / "train" / "dark").symlink_to(tmp_path / "elsewhere")
    assert len(folder(photos, Volume((8, 8, 3)), Recipe()).train) == 48


def test_a_class_without_images_to_train_on_is_named(colour: Path, photos: Path) -> None:
    flat = photos / "train"
    first, *others = (flat / "light").iterdir()
    for path in others:
        path.unlink()
    assert "the class `light` has no image to train on" in refused_folder(colour, flat)
    first.write_bytes(b"no image")
    assert "the class `light` has no image to train on" in refused_folder(colour, photos)


def test_a_split_without_readable_images_is_refused(colour: Path, photos: Path) -> None:
    for name in ("dark", "light"):
        for path in [*(photos / "val" / name).iterdir()][2:]:
            path.unlink()
        for path in (photos / "val" / name).iterdir():
            path.write_bytes(b"no image")
    assert "none of the held-out images can be read" in refused_folder(colour, photos)


def test_a_fingerprint_depends_on_the_files_of_a_folder_not_on_its_path(photos: Path, tmp_path: Path) -> None:
    one = folder(photos, Volume((8, 8, 3)), Recipe())
    moved = photos.rename(tmp_path / "moved")
    other = folder(moved, Volume((9, 9, 1)), Recipe(seed=3))
    assert (one.source, one.fingerprint) == ("folder", other.fingerprint)
    (moved / "val" / "dark" / "0.png").unlink()
    assert folder(moved, Volume((9, 9, 1)), Recipe()).fingerprint != one.fingerprint
    bundled = digits(Volume((8, 8, 1)), 0)
    assert (bundled.source, bundled.fingerprint) == ("digits", "")


@pytest.mark.parametrize("workers", ["0", "1"])
def test_damaged_images_are_reported_counted_and_left_out(
    colour: Path, photos: Path, tmp_path: Path, workers: str
) -> None:
    whole, text = photos / "train" / "dark" / "0.png", photos / "val" / "light" / "0.png"
    whole.write_bytes(whole.read_bytes()[:-200])  # its head is fine
    text.write_text("no image")
    flags = ("--batch", "8", "--epochs", "2", "--workers", workers)
    result = train(colour, "--data", photos, "--out", tmp_path / "run", *flags)
    assert result.exit_code == 0, result.output
    assert f"cannot read `{text}`: left out" in result.stderr
    assert f"cannot read `{whole}`: replaced by another image" in result.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["damaged_images"] == sorted(map(str, (whole, text)))
    assert summary["images"] == 11


@pytest.mark.parametrize("damage", ["no image", "half"])
def test_too_many_damaged_images_end_a_run(colour: Path, photos: Path, tmp_path: Path, damage: str) -> None:
    for path in [*(photos / "train" / "dark").iterdir()][:12]:
        path.write_bytes(b"no image" if damage == "no image" else path.read_bytes()[:-200])
    flags = ("--batch", "8", "--epochs", "9", "--workers", "0")
    result = train(colour, "--data", photos, "--out", tmp_path / "run", *flags)
    assert result.exit_code == 1
    assert "images cannot be read; at most 10 may be left out" in result.stderr
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_colour_images_for_a_network_of_one_channel_are_refused(photos: Path, tmp_path: Path) -> None:
    spec = tmp_path / "gray.arch"
    spec.write_text("[16x16x1] INPUT\nCONV 4 3x3\nGAP -> FC 2\n")
    result = train(spec, "--data", photos, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "the network takes 1 channel" in result.stderr
    assert "`--input 16x16x3`" in result.stderr


def test_fewer_images_than_a_step_takes_are_refused(colour: Path, photos: Path, tmp_path: Path) -> None:
    result = train(colour, "--data", photos, "--out", tmp_path / "run", "--batch", "64")
    assert result.exit_code == 1
    assert "a step takes 64 images, and there are 48 to train on" in result.stderr
