"""`archspec export` of what `archspec train` wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save

import archspec
from archspec.cli import main
from archspec.compiler import Lowered, build
from archspec.compiler.data.decode import load
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.onnx.network_with_weights import network_with_weights
from archspec.compiler.weights import files as weights
from support.exports import export, files, output_of, refused, write_spec
from support.onnx_models import randomised

NAMES = [f"thing {number}" for number in range(10)]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path)


def write_weights(path: Path, spec: Path, **changes: Any) -> Lowered:
    """Weights as `archspec train` leaves them, and their network."""
    network = archspec.load(spec, **changes)
    module = build(network, seed=5)
    randomised(module)
    about = {
        "bundle": network.bundle.to_dict(),
        "class_names": NAMES[: network.output[0]],
        "input": list(network.input),
        "mean": [0.4, 0.5, 0.6],
        "std": [0.2, 0.25, 0.3],
        "recipe": {},
        "top1": 0.987,
    }
    weights.write(path, module.state_dict(), about)
    return module


def test_a_head_of_zeros_is_filled_where_nothing_is_trained_so_that_the_proof_sees_the_network(tmp_path: Path) -> None:
    (tmp_path / "net.arch").write_text("[4] INPUT\nFC 5 -> RELU\nFC 3 init=0\n")
    module = network_with_weights(str(tmp_path / "net.arch"), {}, None, 0).module
    with torch.no_grad():
        assert module(torch.ones(1, 4)).any()


def test_weights_need_neither_their_spec_nor_anything_else_and_run_knows_their_classes(
    spec: Path, tmp_path: Path
) -> None:
    module = write_weights(tmp_path / "weights.safetensors", spec)
    spec.unlink()
    result = export(tmp_path / "weights.safetensors", "-o", tmp_path / "small.onnx")
    assert result.exit_code == 0, result.output
    described = f"Small with the weights of {tmp_path / 'weights.safetensors'} (top-1 98.70 %)"
    assert result.stdout.splitlines()[0] == described
    Image.effect_noise((20, 12), 90).convert("RGB").save(tmp_path / "noise.png")
    image = load(tmp_path / "noise.png", Preprocessing(8, 8, "RGB", (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)))
    with torch.no_grad():
        shares = module(torch.from_numpy(image)[None]).softmax(1)[0]
    ran = CliRunner().invoke(main, ["run", str(tmp_path / "small.onnx"), str(tmp_path / "noise.png"), "--json"])
    (entry,) = json.loads(ran.stdout)["images"]
    assert [guess["name"] for guess in entry["top"]] == [NAMES[place] for place in shares.topk(5).indices]
    assert [guess["probability"] for guess in entry["top"]] == pytest.approx(shares.topk(5).values.tolist(), rel=1e-4)


def test_the_folder_of_a_run_stands_for_its_weights_and_they_can_be_cut(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_weights(tmp_path / "run" / "weights.safetensors", spec, classes=3)
    assert export(tmp_path / "run", "-o", tmp_path / "cut.onnx", "--output", "hidden").exit_code == 0
    assert output_of(tmp_path / "cut.onnx") == ("hidden", [6])
    assert export(tmp_path / "run", "-o", tmp_path / "whole.onnx").exit_code == 0
    assert output_of(tmp_path / "whole.onnx") == ("fc2", [3])


def test_weights_of_another_spec_name_the_first_that_differs(spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, spec)
    state, about = weights.read(path)
    weights.write(path, {**state, "fc1.weight": torch.zeros(6, 7)}, about)
    message = f"`fc1.weight` is 6x7 in `{path}`, but 6x144 in the spec"
    assert refused(export(path, "-o", tmp_path / "x.onnx"), "E421", message)


def test_flags_that_change_a_spec_do_not_go_with_weights(spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, spec)
    message = f"`--classes`, `--input` would change the spec that `{path}` was trained for"
    result = export(path, "-o", tmp_path / "x.onnx", "--classes", "3", "--input", "9x9x3")
    assert refused(result, "E426", message, status=2)


def text(path: Path) -> None:
    path.write_text("no weights")


def strangers(path: Path) -> None:
    """Weights that another program wrote."""
    path.write_bytes(save({"fc1.weight": torch.zeros(2)}, {"format": "pt"}))


def without_a_spec(path: Path) -> None:
    weights.write(path, {}, {"class_names": []})


def nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [text, strangers, without_a_spec, nothing], ids=lambda make: make.__name__)
def test_a_file_that_holds_no_weights_of_ours_is_an_error(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "w.safetensors")
    assert refused(export(tmp_path / "w.safetensors", "-o", tmp_path / "x.onnx"), "E401", "")
    assert "x.onnx" not in files(tmp_path)
