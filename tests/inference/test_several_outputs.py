"""Models with several inputs or outputs, given images: the first output or the one named, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from archspec.compiler.data.decode import load
from archspec.compiler.inference.classify import classify, open_classifier
from archspec.compiler.inference.model_process import ModelProcess
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import ArchspecError
from support.onnx_models import properties, session
from support.run_models import GRAY, archspec_run, write_model, write_photos

HEADS = """
net Heads
[8x8x1]  INPUT
         features: CONV 4 3x3 -> RELU
[10]     output class: @features -> FC 10
[10]     output teacher: @features -> FC 10 -> SOFTMAX
[6x6x4]  output map: @features
"""
PAIR = "[8x8x1] left: INPUT\n[8x8x1] right: INPUT\nadd\n    | @left -> FC 5\n    | @right -> FC 5\n"


@pytest.fixture(scope="module")
def process() -> Iterator[ModelProcess]:
    with ModelProcess() as one:
        yield one


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("images")) / "a.png"


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    return write_model(tmp_path / "heads.onnx", HEADS, preprocessing=GRAY)


def outputs_of(model: Path, photo: Path) -> dict[str, np.ndarray]:
    opened = session(onnx.load(model))
    names = [one.name for one in opened.get_outputs()]
    return dict(zip(names, opened.run(names, {"input": load(photo, GRAY)[None]}), strict=True))


def said_of(process: ModelProcess, path: Path, output: str | None = None, features: bool = False) -> str:
    """What is said of a model that is refused."""
    with pytest.raises(ArchspecError) as caught:
        open_classifier(process, path, "cpu", features, output)
    return " ".join(str(caught.value).split())


@pytest.mark.parametrize(("wanted", "name"), [(None, "class"), ("class", "class"), ("teacher", "teacher")])
def test_the_first_output_is_used_unless_another_is_named(
    wanted: str | None, name: str, process: ModelProcess, heads: Path, photo: Path
) -> None:
    classifier = open_classifier(process, heads, "cpu", features=False, output=wanted)
    (outcome,) = classify(classifier, [photo])
    expected = outputs_of(heads, photo)[name][0]
    np.testing.assert_allclose(outcome.output, expected, rtol=1e-5)
    shares = np.exp(expected) / np.exp(expected).sum() if name == "class" else expected
    assert classifier.top(outcome.output, 1)[0].probability == pytest.approx(shares.max(), rel=1e-5)


def test_the_command_says_which_output_it_used(heads: Path, photo: Path) -> None:
    result = archspec_run(heads, photo, "--features", "--output", "map", "--json")
    document = json.loads(result.stdout)
    assert document["output"] == "map"
    assert result.stderr.startswith(f"{heads} on ")
    assert "; output map\n" in result.stderr
    np.testing.assert_allclose(document["images"][0]["features"], outputs_of(heads, photo)["map"][0], rtol=1e-5)


def test_an_output_without_scores_says_which_have_them(process: ModelProcess, heads: Path) -> None:
    said = said_of(process, heads, "map")
    assert f"error[E435]: `{heads}` outputs `map` [4, 6, 6], which are not class scores" in said
    assert "help: `--features` prints them" in said
    assert "help: `--output class` shows classes" in said


def test_an_unknown_output_is_an_error_with_the_names(process: ModelProcess, heads: Path) -> None:
    said = said_of(process, heads, "teachers")
    assert f"error[E420]: unknown output `teachers`: `{heads}` has 3 outputs (`class`, `teacher`, `map`)" in said
    assert "help: did you mean `teacher`?" in said


def test_a_file_whose_outputs_are_not_those_of_its_metadata_is_refused(process: ModelProcess, heads: Path) -> None:
    model = onnx.load(heads)
    del model.graph.output[1]
    heads.write_bytes(model.SerializeToString())
    expected = f"error[E435]: `{heads}` has 2 outputs (`class`, `map`), but its metadata describe others"
    assert expected in said_of(process, heads)


@pytest.mark.parametrize("value", ['["class"]', '{"class": "fun"}', '{"class": 1}', "{", "null"])
@pytest.mark.parametrize("key", ["outputs", "inputs"])
def test_metadata_of_a_file_from_elsewhere_may_be_anything(key: str, value: str, heads: Path) -> None:
    told = properties(onnx.load(heads)) | {f"archspec.{key}": value}
    if (key, value) == ("inputs", '{"class": "fun"}'):  # only shown
        assert ModelMetadata.from_properties(told).inputs == (("class", "fun"),)
        return
    with pytest.raises(ValueError, match=key):
        ModelMetadata.from_properties(told)


def test_a_model_of_two_images_is_refused_with_its_inputs(process: ModelProcess, tmp_path: Path) -> None:
    pair = write_model(tmp_path / "pair.onnx", PAIR, preprocessing=GRAY)
    said = said_of(process, pair)
    assert f"error[E431]: `{pair}` has 2 inputs (`left`, `right`); expected 1, for images" in said
    assert "= `left`: [8x8x1]" in said
    assert "= `right`: [8x8x1]" in said
    assert "run it in Python: `onnxruntime.InferenceSession(FILE).run(None, {NAME: ARRAY, ...})`" in said
