"""`archspec eval`: its counts against sums computed here and by scikit-learn, and what it says of bad input."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, top_k_accuracy_score

from archspec.commands.max_damaged import most_damaged_of, number_or_share
from archspec.compiler.data.digits import Digits, digits
from archspec.compiler.weights import files as weights
from archspec.graph.volume import Volume
from support.evals import (
    COLOUR,
    FIXED,
    NAMES,
    as_json,
    evaluated,
    photo_paths,
    probabilities,
    run,
    said,
    write_weights,
)


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
