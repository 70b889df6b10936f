"""`archspec probe`: shows gradients that vanish, and shows that others do not."""

import json
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional

import archspec
from archspec.cli import main
from archspec.commands.probe import _bar
from archspec.compiler import build
from archspec.compiler.evaluation.probe import probe

SIGMOIDS = "net Sigmoids\n[16] INPUT\n10 x FC 16 -> SIGMOID\nFC 4\n".replace("10 x FC 16 -> SIGMOID", "10 x step()")
BLOCK = "block step()\n    FC 16 -> SIGMOID\n"
RECTIFIED = BLOCK.replace("SIGMOID", "RELU") + SIGMOIDS
SIGMOIDS = BLOCK + SIGMOIDS


def test_gradients_vanish_through_sigmoids_and_not_through_rectifiers() -> None:
    def ratio(text: str) -> float:
        signals = probe(archspec.loads(text), batch=64, seed=0)
        return signals[0].gradient_norm / signals[-2].gradient_norm

    assert ratio(SIGMOIDS) < 1e-3
    assert ratio(RECTIFIED) > 0.05


def test_every_weight_layer_is_shown_and_the_seed_decides_all() -> None:
    network = archspec.load("lenet5")
    first, second = probe(network, 8, 1), probe(network, 8, 1)
    assert first == second
    assert [signal.name for signal in first] == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert all(signal.activation_std > 0 and signal.gradient_norm > 0 for signal in first)


def test_the_figures_are_those_of_one_batch_of_noise() -> None:
    network = archspec.loads("[6] INPUT\nFC 5 -> RELU\nFC 3\n")
    module = build(network, seed=2)
    generator = torch.Generator().manual_seed(2)
    images, classes = torch.randn(7, 6, generator=generator), torch.randint(3, (7,), generator=generator)
    layers = dict(module.named_children())
    first = layers["fc1"](images)
    second = layers["fc2"](first.relu())
    functional.cross_entropy(second, classes).backward()
    found = probe(network, 7, 2)
    assert [signal.activation_std for signal in found] == pytest.approx([first.std().item(), second.std().item()])
    gradients = [layer.get_parameter("weight").grad for layer in layers.values()]
    norms = [gradient.norm().item() for gradient in gradients if gradient is not None]
    assert [signal.gradient_norm for signal in found] == pytest.approx(norms)


def test_a_head_of_zeros_is_said_to_pass_no_gradient(tmp_path: Path) -> None:
    for init, said in (("init=0", True), ("", False)):
        spec = tmp_path / "net.arch"
        spec.write_text(f"[6] INPUT\nFC 5 -> RELU\nFC 3 {init}\n")
        printed = CliRunner().invoke(main, ["probe", str(spec)]).output
        assert ("`fc2` starts at 0: no gradient passes it before the first step" in printed) is said


@pytest.mark.parametrize(
    ("value", "length"),
    [(2.0, 24), (0.2, 20), (2e-3, 12), (2e-6, 1), (2e-9, 1), (0.0, 0), (math.nan, 0), (math.inf, 0)],
)
def test_a_bar_is_a_sixth_shorter_for_each_power_of_ten(value: float, length: int) -> None:
    assert _bar(value, 2.0) == "#" * length


def test_the_table_the_data_and_the_picture(tmp_path: Path) -> None:
    spec, picture = tmp_path / "s.arch", tmp_path / "flow.svg"
    spec.write_text(SIGMOIDS)
    result = CliRunner().invoke(main, ["probe", str(spec), "--plot", str(picture)])
    assert result.exit_code == 0, result.output
    assert "step10.fc1" in result.stdout
    assert "gradient norm, first layer / last: " in result.stdout
    assert len(ElementTree.parse(picture).findall(".//{*}polyline")) == 2
    data = json.loads(CliRunner().invoke(main, ["probe", str(spec), "--json"]).stdout)
    assert len(data["layers"]) == 11


@pytest.mark.parametrize(
    "text",
    [
        "[4] INPUT\nFC 1\n",  # one class: nothing to learn, gradients of 0
        "block grow()\n    FC 64 -> SCALE 1000000 fixed\n\n[64] INPUT\n40 x grow()\n",  # beyond float32
    ],
)
def test_gradients_of_zero_and_infinity_are_shown_too(text: str, tmp_path: Path) -> None:
    spec, picture = tmp_path / "s.arch", tmp_path / "flow.svg"
    spec.write_text(text)
    result = CliRunner().invoke(main, ["probe", str(spec), "--plot", str(picture)])
    assert result.exit_code == 0, result.output
    points = [point.get("points", "") for point in ElementTree.parse(picture).findall(".//{*}polyline")]
    assert not any("nan" in one or "inf" in one for one in points)
    found = CliRunner().invoke(main, ["probe", str(spec), "--json"]).stdout
    json.loads(found, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[8x8x3] INPUT\nCONV 4 3x3\n", "which are not class scores"),
        ("[8x8x3] INPUT\nGAP\n", "no layer with weights"),
        ("[4] INPUT\nFCC 4\n", "E102"),
    ],
)
def test_a_network_that_cannot_be_probed_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    spec = tmp_path / "s.arch"
    spec.write_text(text)
    result = CliRunner().invoke(main, ["probe", str(spec)])
    assert result.exit_code == 1
    assert said in result.stderr
