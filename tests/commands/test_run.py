"""`archspec run`: how it classifies images."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from archspec.compiler.data.decode import load
from archspec.compiler.inference.classify import Classifier, softmax
from archspec.compiler.weights.model_metadata import PROBABILITIES, SCORES, ModelMetadata
from support.onnx_models import run
from support.run_models import GRAY, NAMES, SPEC, archspec_run, write_digits, write_model, write_photos


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_digits(tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path)


def test_the_most_likely_classes_come_first_by_name(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos / "a.png", "--top", "3")
    assert result.exit_code == 0
    title, *rows = result.stdout.splitlines()
    assert title == str(photos / "a.png")
    scores = run(onnx.load(model), [as_input(photos / "a.png")])[0]
    order = np.argsort(-scores)[:3]
    shares = np.exp(scores) / np.exp(scores).sum()
    assert rows == [f"{100 * shares[number]:6.2f} %  {NAMES[number]}" for number in order]


def test_a_long_class_name_is_shortened_in_text_and_whole_in_json(tmp_path: Path, photos: Path) -> None:
    long = tuple(f"{number}{'x' * 10_000}" for number in range(len(NAMES)))
    model = write_model(tmp_path / "long.onnx", class_names=long, preprocessing=GRAY)
    text = archspec_run(model, photos / "a.png").stdout
    assert max(map(len, text.splitlines()[1:])) < 100
    found = json.loads(archspec_run(model, photos / "a.png", "--json").stdout)
    assert {guess["name"] for guess in found["images"][0]["top"]} <= set(long)


def as_input(path: Path) -> torch.Tensor:
    return torch.from_numpy(load(path, GRAY))[None]


def test_json_contains_every_image_and_its_probabilities(model: Path, photos: Path) -> None:
    result = archspec_run(model, photos, "--json", "--top", "10")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [Path(one["image"]).name for one in document["images"]] == ["a.png", "b.jpg", "c.webp"]
    for image in document["images"]:
        shares = [guess["probability"] for guess in image["top"]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
        assert all(guess["name"] == NAMES[guess["class"]] for guess in image["top"])
    assert document["diagnostics"] == []


def test_images_of_several_batches_are_all_classified(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(35):
        Image.new("L", (8, 8), 7 * number).save(folder / f"{number:02}.png")
    entries = json.loads(archspec_run(model, folder, "--json").stdout)["images"]
    alone = json.loads(archspec_run(model, folder / "33.png", "--json").stdout)["images"]
    assert [Path(entry["image"]).stem for entry in entries] == [f"{number:02}" for number in range(35)]
    (batched, single) = (found["top"][0] for found in (entries[33], alone[0]))
    assert batched["name"] == single["name"]
    assert batched["probability"] == pytest.approx(single["probability"], rel=1e-5)


def test_features_are_the_raw_output(tmp_path: Path, photos: Path) -> None:
    cut = write_model(tmp_path / "cut.onnx", output="hidden", preprocessing=GRAY)
    expected = run(onnx.load(cut), [as_input(photos / "a.png")])[0]
    line = archspec_run(cut, photos / "a.png", "--features").stdout
    name, numbers = line.rstrip("\n").split("\t")
    assert name == str(photos / "a.png")
    np.testing.assert_allclose(np.array(numbers.split(), dtype=float), expected, rtol=1e-4, atol=1e-6)
    (entry,) = json.loads(archspec_run(cut, photos / "a.png", "--features", "--json").stdout)["images"]
    np.testing.assert_allclose(entry["features"], expected, rtol=1e-5)


def test_classes_without_names_are_numbered(tmp_path: Path, photos: Path) -> None:
    nameless = write_model(tmp_path / "nameless.onnx", preprocessing=GRAY)
    assert "%  class " in archspec_run(nameless, photos / "a.png").stdout


def test_a_network_that_ends_in_softmax_gives_its_own_probabilities(tmp_path: Path, photos: Path) -> None:
    text = SPEC.replace("FC 10\n", "FC 10 -> SOFTMAX\n")
    path = write_model(tmp_path / "soft.onnx", text, preprocessing=GRAY)
    probabilities = run(onnx.load(path), [as_input(photos / "a.png")])[0]
    (entry,) = json.loads(archspec_run(path, photos / "a.png", "--json").stdout)["images"]
    assert entry["top"][0]["probability"] == pytest.approx(probabilities.max(), rel=1e-5)


@pytest.mark.parametrize("result", [SCORES, PROBABILITIES])
def test_of_equal_probabilities_the_lower_numbers_come_first(result: str) -> None:
    classifier = Classifier(Path(), None, None, ModelMetadata("net", result), GRAY)  # type: ignore[arg-type]  # no session is used
    output = np.tile(np.array([0.0, 0.5], dtype=np.float32), 50)
    guesses = classifier.top(output, 3)
    assert [guess.number for guess in guesses] == [1, 3, 5]
    expected = 0.5 if result == PROBABILITIES else np.exp(0.5) / (50 * (1 + np.exp(0.5)))
    assert [guess.probability for guess in guesses] == pytest.approx([expected] * 3)


def test_softmax_of_large_scores_is_finite() -> None:
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0, -1000.0], dtype=np.float32)), [0.5, 0.5, 0.0])


def test_running_a_model_needs_neither_torch_nor_onnx(model: Path, photos: Path) -> None:
    program = (
        "import sys\nfrom archspec.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'onnx'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, "run", str(model), str(photos)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("%") == 15
