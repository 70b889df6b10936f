"""`archspec eval`: its counts against sums computed here and by scikit-learn, and what it says of bad input."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image, ImageOps
from sklearn.metrics import confusion_matrix, top_k_accuracy_score

from archspec.commands.max_damaged import most_damaged_of, number_or_share
from archspec.compiler.data.digits import Digits, digits
from archspec.compiler.data.folder import folder
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.evaluation.ensemble_member import ensemble_member
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.trained import open_trained
from archspec.graph.volume import Volume
from archspec.recipe import Recipe
from support.evals import (
    COLOUR,
    FIXED,
    GRAY,
    NAMES,
    evaluated,
    photo_paths,
    probabilities,
    run,
    write_photos,
    write_weights,
)

PLAIN = Preprocessing(8, 8, "gray", (0.0,), (1.0,))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on the bundled digits, of one epoch."""
    home = tmp_path_factory.mktemp("trained")
    (home / "gray.arch").write_text(GRAY)
    result = run("train", home / "gray.arch", "--epochs", "1", "--seed", "3", "--out", home / "run")
    assert result.exit_code == 0, result.output
    return home / "run"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def colour(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "colour.safetensors", COLOUR)


@pytest.fixture
def fixed(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "fixed.safetensors", FIXED, seed=2)


def as_json(*arguments: str | Path) -> dict[str, Any]:
    result = evaluated(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def said(result: Result) -> str:
    """What is on standard error, wherever its lines were broken."""
    return " ".join(result.stderr.split())


# ---- counts
def test_digits_are_evaluated_as_in_training(trained: Path) -> None:
    summary = json.loads((trained / "summary.json").read_text())
    found = as_json(trained)
    assert (found["top1"], found["images"]) == (pytest.approx(summary["top1"]), 359)
    assert found["data"] == "scikit-learn's digits: 359 of 1,797, held out in training (by seed 3)"


def test_every_count_equals_that_of_scikit_learn(trained: Path) -> None:
    state, about = weights.read(trained / "weights.safetensors")
    from archspec.api import restore
    from archspec.compiler import build

    module = build(restore(about["bundle"])).eval()
    module.load_state_dict(state)
    held_out = digits(Volume((8, 8, 1)), 3).held_out
    assert isinstance(held_out, Digits)
    with torch.no_grad():
        scores = module((held_out.images.float() / 255 - about["mean"][0]) / about["std"][0]).numpy()
    truth = held_out.classes.numpy()
    matrix = confusion_matrix(truth, scores.argmax(1))
    found = as_json(trained, "--batch", "50")
    assert found["matrix"] == matrix.tolist()
    assert found["top5"] == pytest.approx(top_k_accuracy_score(truth, scores, k=5))
    for one, row, number in zip(found["classes"], matrix, range(10), strict=True):
        assert (one["images"], one["right"]) == (row.sum(), row[number])
        assert one["top1"] == pytest.approx(row[number] / row.sum())
        among = [number in line for line in np.argsort(-scores[truth == number], 1)[:, :5]]
        assert one["right_in_5"] == sum(among)
        others = np.delete(row, number)
        assert one["mistaken"] == others.max()


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_an_ensemble_of_different_specs_is_the_mean_of_their_probabilities(
    colour: Path, fixed: Path, photos: Path, batch: int
) -> None:
    paths, classes = photo_paths(photos)
    each = [probabilities(COLOUR, colour, paths), probabilities(FIXED, fixed, paths)]
    together = np.mean(each, axis=0)
    found = as_json(colour, fixed, "--data", photos, "--batch", str(batch))
    assert found["matrix"] == confusion_matrix(classes, together.argmax(1), labels=range(3)).tolist()
    assert [one["right"] for one in found["models"]] == [int((one.argmax(1) == classes).sum()) for one in each]
    assert (found["images"], found["data"]) == (24, f"`{photos}`: 24 images of 3 classes in `val`")


def test_published_accuracies_are_shown_beside_those_of_one_unchanged_network(photos: Path, tmp_path: Path) -> None:
    text = COLOUR.replace("net Colour\n", "net Colour\npublished top1=76.13 top5=92.862\n")
    own = write_weights(tmp_path / "own.safetensors", text)
    assert re.search(r"^top-1  .* %.*; published: 76.13 %$", evaluated(own, "--data", photos).stdout, re.MULTILINE)
    assert "; published" not in evaluated(own, own, "--data", photos).stdout
    (model,) = as_json(own, "--data", photos)["models"]
    assert model["published"] == {"top1": pytest.approx(0.7613), "top5": pytest.approx(0.92862)}


def test_weights_may_order_their_classes_differently(colour: Path, photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    state, about = weights.read(colour)
    order = [2, 0, 1]
    turned = {**state, "fc1.weight": state["fc1.weight"][order], "fc1.bias": state["fc1.bias"][order]}
    weights.write(other, turned, {**about, "class_names": [NAMES[place] for place in order]})
    plain = as_json(colour, "--data", photos)
    assert plain["matrix"] == as_json(other, "--data", photos)["matrix"]
    assert plain["matrix"] == as_json(other, colour, "--data", photos)["matrix"]


def test_eval_agrees_with_the_exported_model_class_by_class(colour: Path, photos: Path, tmp_path: Path) -> None:
    model = tmp_path / "net.onnx"
    assert run("export", colour, "-o", model).exit_code == 0
    paths, classes = photo_paths(photos)
    ran = json.loads(run("run", model, photos, "--json").stdout)["images"]
    guesses = {entry["image"]: entry["top"][0]["class"] for entry in ran}
    expected = confusion_matrix(classes, [guesses[str(path)] for path in paths], labels=range(3))
    assert as_json(colour, "--data", photos)["matrix"] == expected.tolist()


def test_workers_do_not_change_the_result(colour: Path, photos: Path) -> None:
    found = [as_json(colour, "--data", photos, "--workers", count) for count in ("0", "2")]
    assert found[0] == found[1]


# ---- which images
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


# ---- views


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


# ---- output
def test_the_text_has_totals_classes_and_the_matrix(trained: Path) -> None:
    result = evaluated(trained)
    found = as_json(trained)
    assert f"top-1  {100 * found['top1']:.2f} % ({found['right']} of 359)" in result.stdout
    assert f"top-5  {100 * found['top5']:.2f} % ({found['right_in_5']} of 359)" in result.stdout
    assert "images on cpu in" in said(result)
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    rows = [line.split() for line in lines[-10:]]
    assert [[0 if cell == "." else int(cell) for cell in row[1:]] for row in rows] == found["matrix"]


def test_a_plot_is_written_or_rejected_before_any_work(trained: Path, tmp_path: Path) -> None:
    assert evaluated(trained, "--plot", tmp_path / "m.svg").exit_code == 0
    assert ElementTree.parse(tmp_path / "m.svg").getroot().tag.endswith("svg")
    result = evaluated(trained, "--plot", tmp_path / "missing" / "m.svg")
    assert result.exit_code == 1
    assert "error[E422]" in said(result)
    assert "images on" not in said(result)


# ---- bad input
def test_damaged_images_are_named_and_left_out(colour: Path, photos: Path) -> None:
    damaged = photos / "val" / "red" / "0.png"
    damaged.write_bytes(damaged.read_bytes()[:-60])
    (photos / "val" / "blue" / "words.jpg").write_text("no image")
    paths, classes = photo_paths(photos)
    kept = [place for place, path in enumerate(paths) if path not in (damaged, photos / "val" / "blue" / "words.jpg")]
    shares = probabilities(COLOUR, colour, [paths[place] for place in kept])
    expected = confusion_matrix([classes[place] for place in kept], shares.argmax(1), labels=range(3))
    result = evaluated(colour, "--data", photos, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["matrix"] == expected.tolist()
    assert len(found["damaged"]) == 2
    assert "left out 2 images that could not be read" in said(result)
    assert str(damaged) in said(result)
    text = evaluated(colour, "--data", photos)
    assert f"({expected.trace()} of 23)" in text.stdout


@pytest.mark.parametrize(
    ("given", "images", "limit"),
    [(None, 999, 10), (None, 1200, 12), ("7", 999, 7), ("5%", 39, 1), ("5%", 40, 2), ("0%", 40, 0)],
)
def test_the_limit_of_damaged_images_is_a_number_or_a_share(given: str | None, images: int, limit: int) -> None:
    read = number_or_share(None, None, given)  # type: ignore[arg-type]  # click's own, which it does not use
    assert most_damaged_of(read, images) == limit


@pytest.mark.parametrize(("limit", "status"), [("1", 1), ("2", 0), ("0", 1), ("100%", 0), ("5%", 1)])
def test_too_many_damaged_images_are_an_error(colour: Path, photos: Path, limit: str, status: int) -> None:
    for number in range(2):
        (photos / "val" / "red" / f"bad{number}.png").write_bytes(b"\x89PNG")
    result = evaluated(colour, "--data", photos, "--max-damaged", limit)
    assert result.exit_code == status
    assert ("error[E461]" in said(result)) == bool(status)
    assert "bad0.png" in said(result)


def test_a_folder_of_damaged_images_is_an_error(colour: Path, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / "bad" / name).mkdir(parents=True)
        (tmp_path / "bad" / name / "a.png").write_bytes(b"")
    result = evaluated(colour, "--data", tmp_path / "bad", "--all")
    assert result.exit_code == 1
    assert "none of the images can be read" in said(result)


def test_classes_that_differ_are_named(colour: Path, trained: Path, photos: Path) -> None:
    (photos / "val" / "red").rename(photos / "val" / "rouge")
    result = evaluated(colour, "--data", photos)
    assert result.exit_code == 1
    assert "error[E460]" in said(result)
    assert f"only `{colour}` has `red`" in said(result)
    assert f"only `{photos}` has `rouge`" in said(result)
    both = evaluated(colour, trained, "--data", photos)
    assert both.exit_code == 1
    assert "has `0`, `1`, `2`, `3`, `4` and 5 more" in said(both)


def test_weights_not_trained_on_the_digits_need_data(colour: Path) -> None:
    result = evaluated(colour)
    assert result.exit_code == 1
    assert "error[E462]" in said(result)
    assert "`--data DIR`" in said(result)


def test_files_that_are_not_weights_are_rejected(colour: Path, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "words.safetensors").write_text("no weights")
    cut_short = tmp_path / "cut.safetensors"
    cut_short.write_bytes(colour.read_bytes()[:-10])
    for path in (tmp_path / "missing.safetensors", tmp_path / "words.safetensors", cut_short, tmp_path / "photos"):
        result = evaluated(path, "--data", photos)
        assert result.exit_code == 1
        assert "error[E401]" in said(result)
        assert "Traceback" not in result.output
    document = json.loads(evaluated(cut_short, "--data", photos, "--json").stdout)
    assert document["diagnostics"][0]["code"] == "E401"


def test_weights_without_class_scores_are_rejected(photos: Path, tmp_path: Path) -> None:
    path = write_weights(tmp_path / "net.safetensors", COLOUR.replace("FC 3", "FC 4"))
    result = evaluated(path, "--data", photos)
    assert result.exit_code == 1
    assert "error[E401]" in said(result)
    assert "outputs [4], but has 3 class names" in said(result)


def test_a_network_that_outputs_nan_is_rejected(colour: Path, photos: Path) -> None:
    state, about = weights.read(colour)
    weights.write(colour, {**state, "fc1.bias": torch.full((3,), torch.nan)}, about)
    result = evaluated(colour, "--data", photos)
    assert result.exit_code == 1
    assert "error[E464]" in said(result)


def test_a_missing_folder_is_rejected(colour: Path, tmp_path: Path) -> None:
    result = evaluated(colour, "--data", tmp_path / "missing")
    assert result.exit_code == 1
    assert "no such folder" in said(result)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("w", "--tta", "turn"),
        ("w", "--max-damaged", "x%"),
        ("w", "--max-damaged", "-1"),
        ("w", "--max-damaged", "nan%"),
        ("w", "--max-damaged", "200%"),
        ("w", "--batch", "0"),
        ("w", "--split", "val"),
        ("w", "--split", "test", "--all"),
    ],
)
def test_a_usage_error_exits_with_status_2(arguments: tuple[str, ...]) -> None:
    assert evaluated(*arguments).exit_code == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about a machine without CUDA")
def test_unavailable_cuda_is_an_error(trained: Path) -> None:
    result = evaluated(trained, "--device", "cuda")
    assert result.exit_code == 1
    assert "error[E434]" in said(result)


def test_help_imports_no_torch() -> None:
    program = (
        "import sys\nfrom archspec.cli import main\n"
        "try:\n    main(['eval', '--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
