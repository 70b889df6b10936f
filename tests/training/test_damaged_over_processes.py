"""Damaged images are counted over all processes before each step."""

from pathlib import Path

import numpy as np
from PIL import Image

from archspec.compiler.data.damaged import DamagedImages
from archspec.compiler.data.dataset import Shuffled
from support.processes import together

SPEC = "net Colour\n[8x8x3] INPUT\nCONV 4 3x3 -> RELU\nGAP -> FC 2\n"
IMAGES, BATCH, EACH = 64, 2, 6  # two processes; `EACH` damaged images come first in either, at most 10 are allowed


def read_by(rank: int, damaged: set[int]) -> set[int]:
    """The damaged images that a process meets in its first steps, with those that were to replace them."""
    found = set()
    for first, _ in [*Shuffled(IMAGES, 0, rank, 2)][:EACH]:
        place = first
        while place in damaged:
            found.add(place)
            place = (place + 1) % IMAGES
    return found


def test_a_run_ends_when_its_processes_have_too_many_together(tmp_path: Path) -> None:
    (tmp_path / "colour.arch").write_text(SPEC)
    chance, photos = np.random.default_rng(0), tmp_path / "photos"
    paths = []
    for split, count in (("train", IMAGES // 2), ("val", 1)):
        for name in "ab":
            (photos / split / name).mkdir(parents=True)
            for number in range(count):
                path = photos / split / name / f"{number:02}.png"
                Image.fromarray(chance.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(path)
                paths += [path] if split == "train" else []
    damaged = {place for rank in range(2) for place, _ in [*Shuffled(IMAGES, 0, rank, 2)][:EACH]}
    assert all(len(read_by(rank, damaged)) <= 10 for rank in range(2))
    assert len(damaged) > 10
    for place in damaged:
        paths[place].write_bytes(paths[place].read_bytes()[:-200])  # their heads are fine
    flags = ("--batch", str(BATCH), "--epochs", "1", "--workers", "0", "--save-every", "1", "--keep", "99")
    run = together(2, "train", tmp_path / "colour.arch", "--data", photos, "--out", tmp_path / "run", *flags)
    _, errors = run.communicate()
    assert run.returncode == 1
    assert "images cannot be read; at most 10 may be left out" in errors
    saved = [int(path.stem.partition("-")[2]) for path in (tmp_path / "run").glob("checkpoint-*.pt")]
    assert max(saved, default=0) < EACH // BATCH  # of 16 steps


def test_an_image_that_two_processes_found_counts_once() -> None:
    images = DamagedImages(["a"], most=3)
    assert [images.add(path) for path in ("a", "b", "b", "c")] == [False, True, False, True]
    assert not images.may_be_too_many(len(images.own))
    assert images.may_be_too_many(2 * len(images.own))  # so the processes gather the names
    assert not images.share(["a", "b", "c"])
    assert not images.may_be_too_many(len(images.own))
    assert images.share(["a", "b", "c", "d"])
    assert images.paths == ["a", "b", "c", "d"]
