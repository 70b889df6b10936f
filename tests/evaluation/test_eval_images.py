"""The images of a folder, or of the digits, that `archspec eval` evaluates."""

import json
import shutil
from pathlib import Path

import pytest

from archspec.compiler.data.folder import folder
from archspec.compiler.weights import files as weights
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from support.evals import (
    COLOUR,
    as_json,
    evaluated,
    run,
    said,
    write_photos,
    write_weights,
)


def test_in_a_flat_folder_the_images_held_out_by_training_are_used(tmp_path: Path) -> None:
    flat = write_photos(tmp_path, 30, "flat") / "flat"
    spec = tmp_path / "colour.arch"
    spec.write_text(COLOUR)
    runs = [tmp_path / "a", tmp_path / "b"]
    for seed, out in enumerate(runs):
        flags = ("--epochs", "1", "--seed", str(seed), "--out", out, "--workers", "0")
        result = run("train", spec, "--data", flat, *flags)
        assert result.exit_code == 0, result.output
    summary = json.loads((runs[0] / "summary.json").read_text())
    found = as_json(runs[0], "--data", flat)
    assert (found["images"], found["top1"]) == (summary["images"], pytest.approx(summary["top1"]))
    everything = as_json(runs[0], "--data", flat, "--all")
    assert (everything["images"], "including training images" in everything["data"]) == (87, True)
    both = evaluated(*runs, "--data", flat, "--json")  # held out by seed 0 and by seed 1: few, or none
    if both.exit_code == 0:
        assert json.loads(both.stdout)["images"] < found["images"]
    else:
        assert "no image of" in said(both)


def test_a_folder_with_only_val_is_used_whole(colour: Path, photos: Path) -> None:
    assert not (photos / "train").exists()
    assert as_json(colour, "--data", photos)["images"] == 24
    assert as_json(colour, "--data", photos, "--all")["images"] == 24


def test_in_a_folder_with_both_parts_val_is_used_or_with_all_everything(colour: Path, photos: Path) -> None:
    write_photos(photos, 5, "train")
    found = as_json(colour, "--data", photos)
    assert (found["images"], found["data"]) == (24, f"`{photos}`: 24 images of 3 classes in `val`")
    assert as_json(colour, "--data", photos, "--all")["images"] == 24 + 5 + 4 + 3


def test_runs_that_held_out_different_digits_are_evaluated_on_the_common_ones(trained: Path, tmp_path: Path) -> None:
    state, about = weights.read(trained / "weights.safetensors")
    paths = []
    for seed in range(12):
        paths.append(tmp_path / f"{seed}.safetensors")
        weights.write(paths[-1], state, {**about, "recipe": {"seed": seed}})
    counts = [as_json(*paths[:number])["images"] for number in (1, 2, 3)]
    assert counts[0] > counts[1] > counts[2] > 0
    refused = evaluated(*paths)
    assert refused.exit_code == 1
    assert "was held out by all 12 runs" in said(refused)
    assert as_json(*paths[:2], "--all")["images"] == 1797


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "flat", 30, "all") / "all"


def knowing(path: Path, source: str, fingerprint: str = "", held_out_in: str | None = None) -> Path:
    """The weights, that say on what they were trained."""
    state, about = weights.read(path)
    on = {"source": source, "images": 87, "fingerprint": fingerprint, "held_out_in": held_out_in}
    weights.write(path, state, {**about, "data": on})
    return path


def first_line(*arguments: str | Path) -> str:
    result = evaluated(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[0]


def test_weights_of_an_early_version_are_evaluated_on_a_tenth_which_says_why(colour: Path, flat: Path) -> None:
    why = f"a tenth by seed 0, as in training (`{colour}` does not say on which files)"
    assert first_line(colour, "--data", flat) == f"`{flat}`: 9 of 87 images of 3 classes, {why}"
    assert "W432" not in evaluated(colour, "--data", flat).stderr


@pytest.mark.parametrize("held_out_in", ["val", "", None])
def test_of_a_folder_of_other_files_every_image_is_used(held_out_in: str | None, colour: Path, flat: Path) -> None:
    knowing(colour, "folder", "00", held_out_in)
    everything = f"`{flat}`: all 87 images of 3 classes (the run was trained on other files)"
    assert first_line(colour, "--data", flat) == everything
    assert as_json(colour, "--data", flat)["images"] == 87
    assert as_json(colour, "--data", flat)["data"] == everything
    warned = "W432" in evaluated(colour, "--data", flat).stderr
    assert warned == (not held_out_in)  # it may be a changed copy of a folder of which the run held out a tenth


def test_weights_of_the_digits_are_evaluated_on_every_image_of_a_folder(colour: Path, flat: Path) -> None:
    result = evaluated(knowing(colour, "digits"), "--data", flat)
    assert "all 87 images of 3 classes" in result.stdout
    assert "W432" not in result.stderr


def test_a_folder_that_changed_since_training_gives_a_warning(colour: Path, flat: Path) -> None:
    knowing(colour, "folder", folder(flat, Volume((12, 12, 3)), Recipe()).fingerprint)
    held_out = f"`{flat}`: 9 of 87 images of 3 classes, held out in training (a tenth is held out, by seed 0)"
    assert first_line(colour, "--data", flat) == held_out
    assert "W432" not in evaluated(colour, "--data", flat).stderr
    (flat / "red" / "1.jpg").unlink()
    result = evaluated(colour, "--data", flat)
    assert result.exit_code == 0
    assert "warning[W432]" in said(result)
    assert "all 86 images" in result.stdout
    assert [one["code"] for one in as_json(colour, "--data", flat)["diagnostics"]] == ["W432"]
    assert as_json(colour, "--data", flat, "--all")["diagnostics"] == []


def test_of_an_ensemble_only_runs_that_were_trained_on_a_folder_restrict_it(
    colour: Path, flat: Path, tmp_path: Path
) -> None:
    other = write_weights(tmp_path / "other.safetensors", COLOUR, seed=5)
    knowing(other, "folder", "00", "val")
    knowing(colour, "folder", folder(flat, Volume((12, 12, 3)), Recipe()).fingerprint, "")
    assert as_json(colour, other, "--data", flat)["images"] == 9
    assert as_json(other, other, "--data", flat)["images"] == 87


PARTS = {"train": 7, "validation": 5, "test": 4}  # images of the first class; one fewer of each next


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A folder with three parts."""
    for part, count in PARTS.items():
        write_photos(tmp_path / "whole", count, part)
    return tmp_path / "whole"


@pytest.mark.parametrize(
    ("split", "line"),
    [
        (None, "12 images of 3 classes in `validation`, held out in training"),
        ("train", "18 images of 3 classes in `train`, used in training"),
        ("validation", "12 images of 3 classes in `validation`, held out in training"),
        ("test", "9 images of 3 classes in `test`, not used in training"),
    ],
)
def test_split_chooses_a_part_of_the_folder_of_a_run(split: str | None, line: str, colour: Path, whole: Path) -> None:
    knowing(colour, "folder", folder(whole, Volume((12, 12, 3)), Recipe()).fingerprint, "validation")
    flags = ("--split", split) if split else ()
    assert first_line(colour, "--data", whole, *flags) == f"`{whole}`: {line}"
    own = [*(whole / (split or "validation")).rglob("*.*g")]
    assert as_json(colour, "--data", whole, *flags)["images"] == len(own)
    if split:  # the same images by their own folder
        use = line.partition(", ")[2]
        assert (
            first_line(colour, "--data", whole / split)
            == f"`{whole / split}`: all {len(own)} images of 3 classes, {use}"
        )


def test_a_folder_with_one_part_is_that_part(colour: Path, whole: Path) -> None:
    knowing(colour, "folder", "00", "val")
    assert as_json(colour, "--data", whole, "--all")["images"] == 18 + 12 + 9
    shutil.rmtree(whole / "validation")
    assert first_line(colour, "--data", whole) == f"`{whole}`: 9 images of 3 classes in `test`"  # as training does
    shutil.rmtree(whole / "train")
    assert as_json(colour, "--data", whole)["images"] == 9
    result = evaluated(colour, "--data", whole, "--split", "validation")
    assert "has no folder `validation` = help: `--split test` can be used" in said(result)
    (whole / "test").rename(whole / "train")
    result = evaluated(colour, "--data", whole)
    assert "has only a folder `train` = help: `--split train` can be used" in said(result)
    assert as_json(colour, "--data", whole, "--split", "train")["images"] == 9


def test_split_of_class_folders_divides_them_as_training_does(colour: Path, flat: Path) -> None:
    knowing(colour, "folder", folder(flat, Volume((12, 12, 3)), Recipe()).fingerprint, "")
    found = {split: as_json(colour, "--data", flat, "--split", split) for split in ("train", "validation")}
    assert [one["images"] for one in found.values()] == [78, 9]
    assert "78 of 87 images of 3 classes, used in training" in found["train"]["data"]
    assert "error[E462]" in said(evaluated(colour, "--data", flat, "--split", "test"))
    knowing(colour, "folder", "00", "val")
    assert "9 of 87 images of 3 classes, a tenth by seed 0, as in training" in first_line(
        colour, "--data", flat, "--split", "validation"
    )


def test_split_of_the_digits_is_that_of_training(trained: Path) -> None:
    assert as_json(trained, "--split", "validation")["images"] == 359
    assert as_json(trained, "--split", "train")["images"] == 1797 - 359
    assert "error[E462]" in said(evaluated(trained, "--split", "test"))


def test_without_data_only_weights_trained_on_the_digits_are_evaluated(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes((trained / "weights.safetensors").read_bytes())
    assert as_json(knowing(path, "digits"))["images"] == 359
    result = evaluated(trained, knowing(path, "folder", "00"))
    assert "error[E462]" in said(result)
    assert f"`{path}` was not trained on the bundled digits" in said(result)


def test_an_unfinished_run_names_its_best_weights(trained: Path, tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(trained, stopped)
    (stopped / "weights.safetensors").unlink()
    result = evaluated(stopped)
    assert result.exit_code == 1
    assert "error[E401]" in said(result)
    assert f"`archspec train --resume {stopped}`" in said(result)
    assert f"`{stopped / 'best.safetensors'}`" in said(result)
    assert evaluated(stopped / "best.safetensors").exit_code == 0
