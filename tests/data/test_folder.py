"""A folder of images: what identifies it, and what is left out."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from archspec.compiler.data.folder import checked, fingerprint, folder
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

VOLUME = Volume((8, 8, 3))


def write(root: Path, *names: str, mode: str = "RGB") -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (9, 9)).save(root / name)
    return root


def test_a_fingerprint_is_of_the_names_below_the_folder_in_any_order(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "1.png", tmp_path / "b" / "2.png"]
    found = fingerprint(tmp_path, paths)
    assert fingerprint(tmp_path, paths[::-1]) == found
    assert fingerprint(tmp_path.parent, [tmp_path.parent / path.relative_to(tmp_path) for path in paths]) == found
    others = [[tmp_path / "b" / "1.png", paths[1]], [tmp_path / "a" / "2.png", tmp_path / "b" / "1.png"], paths[:1]]
    assert len({found, *(fingerprint(tmp_path, other) for other in others)}) == 4


def test_a_tenth_of_each_class_but_at_least_one_image_is_held_out(tmp_path: Path) -> None:
    names = [f"{name}/{number}.png" for name, count in (("a", 30), ("b", 4)) for number in range(count)]
    data = folder(write(tmp_path, *names), VOLUME, Recipe(seed=1))
    assert data.held_out.classes.bincount().tolist() == [3, 1]
    assert data.train.classes.bincount().tolist() == [27, 3]
    assert data.class_names == ("a", "b")


def test_unreadable_images_are_left_out_of_their_part(tmp_path: Path) -> None:
    write(
        tmp_path, *(f"{part}/{name}/{number}.png" for part in ("train", "val") for name in "ab" for number in range(3))
    )
    (tmp_path / "train" / "a" / "1.png").write_text("not an image")
    (tmp_path / "val" / "b" / "0.png").write_text("not an image")
    data = checked(folder(tmp_path, VOLUME, Recipe()))
    assert (data.train.classes.tolist(), data.held_out.classes.tolist()) == ([0, 0, 1, 1, 1], [0, 0, 0, 1, 1])
    assert [Path(name).relative_to(tmp_path).as_posix() for name in data.damaged] == ["train/a/1.png", "val/b/0.png"]


def test_images_that_are_left_out_do_not_lower_the_limit(tmp_path: Path) -> None:
    data = folder(write(tmp_path, *(f"{name}/{number}.png" for name in "ab" for number in range(5))), VOLUME, Recipe())
    assert replace(data, damaged=("a.png",) * 1090).most_damaged == 11  # of 1,100 images, as when they were counted


@pytest.mark.parametrize(("mode", "refused"), [("RGB", True), ("L", False), ("LA", False), ("P", True)])
def test_a_network_with_one_channel_takes_gray_images(mode: str, refused: bool, tmp_path: Path) -> None:
    data = folder(write(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png", mode=mode), Volume((8, 8, 1)), Recipe())
    if not refused:
        assert checked(data) is data
        return
    with pytest.raises(ArchspecError, match=r"takes 1 channel.*is in colour\n = help: `--input 8x8x3`"):
        checked(data)
