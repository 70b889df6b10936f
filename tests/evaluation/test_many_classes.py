"""10,000 classes: what is written at the end of a run grows with the classes and the images, not with their square."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from archspec.cli import main
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.confusion_tables import class_table, matrix_table
from archspec.compiler.evaluation.counting import evaluation_of
from archspec.compiler.pages.confusion_picture import confusion_picture
from archspec.compiler.training.records.report_page import write_report

MANY = 10_000
BYTES = 400  # of a file, for each class and each image
SPEC = "[8x8x1] INPUT\nFC 10\n"


def guessed(classes: int, images: int) -> Evaluation:
    """Images of random classes, classified at random."""
    chance = torch.Generator().manual_seed(0)
    names = tuple(f"class {number}" for number in range(classes))
    pairs = torch.randint(classes**2, (images,), generator=chance)
    return evaluation_of(names, pairs, torch.zeros(classes, dtype=torch.int64))


def outputs(found: Evaluation, folder: Path) -> dict[str, int]:
    """The characters of everything that is made from an evaluation."""
    write_report(folder / "report.html", "t", [], {}, found, {})
    texts = {
        "json": json.dumps(found.to_dict(), indent=2),
        "picture": confusion_picture("t", found),
        "tables": "\n".join([*class_table(found), *matrix_table(found)]),
        "page": (folder / "report.html").read_text(),
    }
    return {name: len(text) for name, text in texts.items()}


def test_what_is_written_of_10000_classes_grows_with_classes_and_images(tmp_path: Path) -> None:
    begun = time.process_time()
    large = outputs(guessed(MANY, 2 * MANY), tmp_path)
    assert time.process_time() - begun < 10
    small = outputs(guessed(MANY // 10, MANY // 5), tmp_path)
    for name, size in large.items():
        assert size < BYTES * 3 * MANY, name
        assert size < 14 * small[name], name  # ten times as many; numbers have a digit more


def test_all_confusions_are_written_and_the_matrix_of_few_classes() -> None:
    few, many = guessed(100, 500).to_dict(), guessed(101, 500).to_dict()
    assert many["matrix"] is None
    assert np.sum(few["matrix"]) == 500
    for found in (few, many):
        wrong = sum(one["mistaken"] for one in found["confusions"])
        assert wrong + found["right"] == found["images"] == 500
    numbers = [one["mistaken"] for one in few["confusions"]]
    assert numbers == sorted(numbers, reverse=True)
    for one in few["confusions"]:
        row, column = (int(one[key].removeprefix("class ")) for key in ("class", "mistaken_for"))
        assert few["matrix"][row][column] == one["mistaken"]


@pytest.mark.slow
def test_a_run_on_10000_classes_ends_in_proportion(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    (tmp_path / "net.arch").write_text(SPEC)
    seconds, sizes = zip(*(run(tmp_path, classes) for classes in (MANY // 10, MANY)), strict=True)
    assert sizes[1] < BYTES * 2 * MANY
    assert sizes[1] < 14 * sizes[0]
    counted = f"evaluation.json {sizes[1] / 2**20:.1f} MiB (of 1,000 classes {sizes[0] / 2**20:.2f} MiB)"
    record_property("sweep", f"a run on 10,000 classes: {seconds[1]:.0f} s ({seconds[0]:.0f} s), {counted}")


def run(folder: Path, classes: int) -> tuple[float, int]:
    """Train on one image of each class, evaluate on another; the seconds, and the bytes of its evaluation."""
    data, out = folder / f"photos{classes}", folder / f"run{classes}"
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    for number in range(classes):
        for part in ("train", "val"):
            place = data / part / f"{number:05}"
            place.mkdir(parents=True)
            image.save(place / "0.png")
    begun = time.monotonic()
    flags = ("--data", str(data), "--out", str(out), "--epochs", "1", "--batch", "500", "--workers", "0")
    result = CliRunner().invoke(main, ["train", str(folder / "net.arch"), *flags])
    assert result.exit_code == 0, result.stderr
    return time.monotonic() - begun, (out / "evaluation.json").stat().st_size
