"""`archspec.load` and `Network`: the figures, what changes them, and the data that `--json` writes."""

import json
from typing import Any

import pytest

import archspec
from archspec.api import restore

TINY = """\
[8x8x3]  INPUT
[8x8x4]  CONV 4 3x3 same -> BN -> RELU
[4x4x4]  POOL 2x2 s2
[10]     FC 10
"""


def test_a_network_knows_its_totals() -> None:
    network = archspec.loads(TINY)
    weights, norm, scores = 3 * 3 * 3 * 4, 4 + 4, 4 * 4 * 4 * 10 + 10
    assert network.params == weights + norm + scores
    assert network.params_no_bias == weights + 4 + 4 * 4 * 4 * 10
    assert network.macs == 8 * 8 * weights + 4 * 4 * 4 * 10
    assert network.flops == 2 * network.macs
    assert network.activations == 8 * 8 * 3 + 2 * 8 * 8 * 4 + 4 * 4 * 4 + 10
    assert network.weight_layers == 2
    assert network.receptive_field == (4, 4)


def test_layers_are_found_by_name() -> None:
    network = archspec.loads(TINY)
    assert network["conv1"].node.volume == (8, 8, 4)
    assert [row.node.name for row in network.layers] == ["input", "conv1", "bn1", "relu1", "pool1", "fc1"]


def test_attention_counts_twice_among_the_operations() -> None:
    network = archspec.loads("[6x12] INPUT\n[6x12] MHSA 3\n")
    assert (network.macs, network.attention_macs) == (6 * 4 * 12 * 12, 2 * 6 * 6 * 12)
    assert network.flops == 2 * (network.macs + network.attention_macs)


def test_another_input_and_number_of_classes_change_the_network() -> None:
    network = archspec.load("vgg16", input="64x64x3", classes=10)
    assert (network.input, network.output) == ((64, 64, 3), (10,))
    assert network.resolved.brackets_suspended > 0
    assert network.params == archspec.load("vgg16").params - (7 * 7 - 2 * 2) * 512 * 4096 - 4097 * 990


@pytest.mark.parametrize("volume", ["384", "axbxc", "0x4x3", "1x2x3x4", "9" * 40 + "x1x1", (4, -1, 3)])
def test_an_input_that_is_not_a_volume_is_refused(volume: Any) -> None:
    with pytest.raises(archspec.ArchspecError):
        archspec.load("lenet5", input=volume)


def test_settings_and_variants_change_a_family() -> None:
    assert archspec.load("resnet", variant="r18").params == archspec.load("resnet18").params


@pytest.mark.parametrize("values", [{"depht": 3}, {"n2": "no_such_block"}])
def test_an_unknown_parameter_or_a_value_of_the_wrong_kind_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(archspec.ArchspecError):
        archspec.load("resnet", set=values)


def test_totals_exclude_auxiliary_classifiers() -> None:
    network = archspec.load("googlenet")
    assert network.params == 6_998_552
    assert network.params + sum(totals.params for totals in network.auxiliary) == 13_378_280
    assert [head.weight for head in network.graph.heads] == [0.3, 0.3]


def test_data_survive_json_and_add_up() -> None:
    data = archspec.load("googlenet").to_dict()
    assert json.loads(json.dumps(data)) == data
    for total in ("params", "params_no_bias", "macs", "attention_macs", "activations"):
        assert sum(layer[total] for layer in data["layers"]) == data[total], total


def test_data_have_every_documented_key() -> None:
    keys = "network input output params params_no_bias macs attention_macs flops activations training_bytes"
    keys += " weight_layers receptive_field global layers diagnostics"
    layer_keys = "name layer input output params macs activations receptive_field global file line"
    data = archspec.load("vgg16").to_dict()
    assert set(keys.split()) <= set(data)
    assert all(set(layer_keys.split()) <= set(layer) for layer in data["layers"])
    assert (data["layers"][1]["file"], data["layers"][1]["input"]) == ("vgg16.arch", [224, 224, 3])


def test_a_wrong_spec_raises_all_findings() -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads("[8x8x3] INPUT\nCONVV 4 3x3\n[8x8x4] RELU\nPOOL 3x3\n")
    assert [finding.code for finding in caught.value.diagnostics] == ["E102", "E106"]
    assert "did you mean `CONV`?" in str(caught.value)


def test_training_takes_more_memory_than_weights_gradients_and_momentum() -> None:
    network = archspec.load("lenet5")
    assert network.training_bytes() > 3 * 4 * network.params
    assert network.training_bytes(64) > network.training_bytes(1)


@pytest.mark.parametrize(
    ("spec", "changes"),
    [("lenet5", {}), ("resnet50", {"input": "64x64x3", "classes": 7}), ("resnet_r18", {"set": {"n2": 3}})],
)
def test_a_network_is_restored_from_its_bundle_alone(spec: str, changes: dict[str, Any]) -> None:
    network = archspec.load(spec, **changes)
    again = restore(json.loads(json.dumps(network.bundle.to_dict())))
    assert again.to_dict()["layers"] == network.to_dict()["layers"]


@pytest.mark.parametrize("wrong", [None, 3, ["lenet5"], b"lenet5"])
def test_what_is_neither_a_name_nor_a_path_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected the name of a spec or its path, got "):
        archspec.load(wrong)


@pytest.mark.parametrize("text", ["[8x8x3] INPUT\nGAP -> FC 10\n", "[8] INPUT\nFC 1/2\n", "net A\n[4] INPUT # a.arch"])
def test_the_text_of_a_spec_is_not_taken_for_a_name(text: str) -> None:
    with pytest.raises(
        archspec.ArchspecError, match=r"the text of a spec, not its name or path\n.*`archspec.loads\(text\)`"
    ):
        archspec.load(text)


def test_true_is_not_a_number_of_classes() -> None:
    with pytest.raises(archspec.ArchspecError, match="`--classes True`: expected a number"):
        archspec.load("lenet5", classes=True)
