"""`archspec run` on files that are not images or not models: one clear message for each, and nothing else is lost."""

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from archspec.compiler.data.preprocessing import default_preprocessing
from archspec.graph.volume import Volume
from support.run_models import GRAY, archspec_run, write_digits, write_model, write_photos


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_digits(tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path)


def test_unreadable_images_are_named_and_the_others_classified(model: Path, photos: Path) -> None:
    (photos / "text.jpg").write_text("not an image")
    (photos / "empty.png").touch()
    (photos / "cut.jpg").write_bytes((photos / "b.jpg").read_bytes()[:-200])
    (photos / "noise.png").write_bytes(bytes(range(128, 256)))
    result = archspec_run(model, photos, photos / "gone.png")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if not line.startswith(" ")] == [
        str(photos / name) for name in ("a.png", "b.jpg", "more/c.webp")
    ]
    for message in (
        f"error[E432]: `{photos / 'text.jpg'}` is not an image\n = it contains text\n",
        f"error[E432]: `{photos / 'empty.png'}` is not an image\n = it is empty\n",
        f"error[E432]: `{photos / 'noise.png'}` is not an image\n = supported formats: AVIF, BMP, ",
        f"error[E432]: `{photos / 'cut.jpg'}` cannot be read as an image\n = image file is truncated",
        f"error[E432]: no such file: `{photos / 'gone.png'}`\n",
    ):
        assert message in result.stderr
    assert "5 errors" in result.stderr


def test_json_contains_the_errors(model: Path, photos: Path) -> None:
    (photos / "text.jpg").write_text("not an image")
    result = archspec_run(model, photos, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert len(document["images"]) == 3
    assert [finding["code"] for finding in document["diagnostics"]] == ["E432"]


def test_a_folder_without_images_is_an_error(model: Path, tmp_path: Path) -> None:
    empty, texts = tmp_path / "empty", tmp_path / "texts"
    empty.mkdir()
    texts.mkdir()
    (texts / "notes.txt").write_text("not an image")
    result = archspec_run(model, empty, texts)
    assert result.exit_code == 1
    assert f"no image in the folder `{empty}`\n = it is empty\n" in result.stderr
    assert f"no image in the folder `{texts}`\n = it contains 1 file, but no .jpg, .png or other image" in result.stderr


def gone(folder: Path) -> Path:
    return folder / "gone.onnx"


def text(folder: Path) -> Path:
    path = folder / "text.onnx"
    path.write_text("not a model")
    return path


def strangers(folder: Path) -> Path:
    """Valid ONNX without metadata."""
    path = write_model(folder / "stranger.onnx")
    model = onnx.load(path)
    del model.metadata_props[:]
    path.write_bytes(model.SerializeToString())
    return path


def of_vectors(folder: Path) -> Path:
    return write_model(folder / "vectors.onnx", "[8] INPUT\nFC 3\n", preprocessing=default_preprocessing(Volume((8,))))


def of_features(folder: Path) -> Path:
    return write_model(folder / "features.onnx", output="relu1", preprocessing=GRAY)


def of_a_hidden_vector(folder: Path) -> Path:
    return write_model(folder / "hidden.onnx", output="hidden", preprocessing=GRAY)


NO_CLASSIFIERS = pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (gone, "E430", "no such file: `"),
        (text, "E430", "onnxruntime cannot load `"),
        (strangers, "E431", "does not describe its preprocessing: `archspec export` did not write it"),
        (of_vectors, "E431", "does not take images: its input is ['batch', 8]"),
        (of_a_hidden_vector, "E435", "outputs `hidden` [12], which are not class scores"),
        (of_features, "E435", "outputs `relu1` [4, 6, 6], which are not class scores"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)


@NO_CLASSIFIERS
def test_a_model_that_cannot_classify_is_an_error(
    make: Callable[[Path], Path], code: str, message: str, tmp_path: Path, photos: Path
) -> None:
    result = archspec_run(make(tmp_path), photos)
    assert result.exit_code == 1
    assert f"error[{code}]: " in result.stderr
    assert message in result.stderr
    assert result.stdout == ""


WRONG_LINES = [(), ("net.onnx",), ("net.onnx", "a.png", "--top", "0"), ("net.onnx", "a.png", "--device", "tpu")]


@pytest.mark.parametrize("arguments", WRONG_LINES)
def test_a_usage_error_exits_with_status_2(arguments: tuple[str, ...]) -> None:
    assert archspec_run(*arguments).exit_code == 2
