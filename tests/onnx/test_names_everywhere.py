"""The names that grammar/README.md promises are the same in the table, the JSON, the module, its weights and ONNX."""

import json
from pathlib import Path

from click.testing import CliRunner

import archspec
from archspec.cli import main
from archspec.compiler import build
from archspec.compiler.onnx import emit
from support.onnx_models import weights_of

SPEC = """block tower shared
    FC 8 -> RELU

[6x8]    left: INPUT
[6x8]    right: INPUT
         s: @left -> tower()
         @right -> tower()
         own: FC 8
         RELU
         FC 8 weights=@own
         RELU
[6x4]    output low: FC 4
         output fine: @s
"""
INPUTS = ["left", "right"]
OUTPUTS = {"low": "low", "fine": "s.relu1"}
OWNERS = {"tower1.fc1": "s.fc1", "fc2": "own"}
WEIGHTS = {f"{layer}.{tensor}" for layer in ("s.fc1", "own", "low") for tensor in ("weight", "bias")}


def test_names_are_those_of_the_languages_page_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "names.arch"
    path.write_text(SPEC, encoding="utf-8")
    data = json.loads(CliRunner().invoke(main, ["check", str(path), "--json"]).stdout)
    assert [one["name"] for one in data["inputs"]] == INPUTS
    assert {one["name"]: one["layer"] for one in data["outputs"]} == OUTPUTS
    assert {one["name"]: one["owner"] for one in data["layers"] if one.get("owner")} == OWNERS

    table = CliRunner().invoke(main, ["check", str(path)]).stdout
    assert all(f"of {owner}" in table for owner in OWNERS.values())

    network = archspec.loads(SPEC)
    module = build(network, seed=0)
    assert list(module.output_names) == list(OUTPUTS)
    assert set(weights_of(module)) == WEIGHTS

    model = emit(network.graph, weights_of(module))
    assert [one.name for one in model.graph.input] == INPUTS
    assert [one.name for one in model.graph.output] == list(OUTPUTS)
    assert {one.name for one in model.graph.initializer} >= {name for name in WEIGHTS if name.endswith(".bias")}
