"""`--classes` sets the number by structure: in the weight layers that the scores come from, however they are merged."""

import pytest

import archspec
from archspec.api import Network, overrides, read
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.source import Source
from archspec.graph.scores import classifiers
from archspec.layers import Layer
from archspec.library import Located
from support.layer_cases import CLASSES, examples_of

STEM = "[8x8x3] INPUT\nCONV 16 3x3 p1 -> RELU -> GAP\n"
MERGED = f"""after FC: GELU
{STEM}features: LN
classes: FC 1000
@features -> FC 1000
add
    | @classes -> SCALE 0.5 fixed
    | x -> SCALE 0.5
"""


def resized(text: str, classes: int) -> Network:
    changes = overrides(input=None, classes=classes, variant=None, values={})
    return read(Located("spec", Source("spec.arch", text), None), changes)


def sizes(network: Network) -> dict[str, int]:
    return {node.name: node.volume.channels for node in network.graph.nodes if node.layer.is_weight_layer}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("FC 20 -> RELU -> FC 10", {"fc1": 20, "fc2": 7}),
        ("add\n    | FC 20 -> RELU -> FC 10\n    | FC 10", {"add1.fc1": 20, "add1.fc2": 7, "add1.fc3": 7}),
        ("mul\n    | FC 10\n    | FC 10 -> SIGMOID", {"fc1": 7, "fc2": 7}),
        ("concat\n    | FC 5\n    | FC 6\nFC 10", {"fc1": 5, "fc2": 6, "fc3": 7}),
        ("FC 10 -> BN -> DROPOUT 0.5 -> SOFTMAX", {"fc1": 7}),
    ],
)
def test_the_layers_that_the_scores_come_from_get_the_number(lines: str, expected: dict[str, int]) -> None:
    network = resized(STEM + lines, 7)
    assert network.output == (7,)
    found = sizes(network)
    assert {name: found[name.removeprefix("add1.")] for name in expected} == expected


def test_two_heads_that_are_added_get_the_number() -> None:
    network = resized(MERGED, 7)
    assert (network.output, sizes(network)) == ((7,), {"conv1": 16, "classes": 7, "fc2": 7})


DISTILLED = """[6x16] INPUT
class: TAKE 0 -> FC 10
teacher: @input -> TAKE 1 -> FC 10
output scores: add
    | @class -> SCALE 0.5 fixed
    | @teacher -> SCALE 0.5 fixed
"""
MASKS = """[8x8x3] INPUT
a: CONV 8 3x3 p1 -> RELU
b: CONV 16 3x3 p1 -> RELU
output m1: @a -> CONV 2 1x1
output m2: @b -> CONV 2 1x1 -> UPSAMPLE 2 -> POOL 2x2 s2
"""


@pytest.mark.parametrize("loss", ["", "train\n    loss class 0.5, teacher 0.5\n"])
def test_both_heads_of_a_distilled_network_get_the_number(loss: str) -> None:
    network = resized(DISTILLED + loss, 7)
    assert (network.output, sizes(network)) == ((7,), {"class": 7, "teacher": 7})


def test_the_outputs_that_a_loss_names_get_the_number_and_no_other() -> None:
    assert sizes(resized(f"{MASKS}train\n    loss m1 1, m2 1\n", 5)) == {
        "conv1": 8,
        "conv2": 16,
        "m1": 5,
        "conv4": 5,
    }
    assert sizes(resized(f"{MASKS}train\n    loss m2\n", 5)) == {"conv1": 8, "conv2": 16, "m1": 2, "conv4": 5}


def test_several_outputs_without_a_loss_line_have_no_classes() -> None:
    with pytest.raises(ArchspecError) as caught:
        resized(MASKS, 5)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.message) == ("E117", "`--classes` of several outputs")
    assert finding.notes == ("the outputs are m1, m2, and no `loss` line says which of them are class scores",)
    assert finding.helps == ("`loss m1 1, m2 1` under `train`",)


def test_maps_of_scores_get_the_number() -> None:
    text = "[8x8x3] INPUT\nCONV 4 3x3 p1 -> RELU -> CONV 2 1x1 -> UPSAMPLE 2 -> PAD p1 -> POOL 2x2 s2"
    assert resized(text, 5).output == (9, 9, 5)
    assert archspec.load("unet", classes=5).output.channels == 5


def test_auxiliary_classifiers_get_the_number() -> None:
    text = f"{STEM}aux 0.3: FC 20 -> RELU -> FC 10\nFC 10"
    assert [*sizes(resized(text, 7)).values()] == [16, 20, 7, 7]


@pytest.mark.parametrize(
    ("lines", "culprit"),
    [
        ("concat\n    | FC 5\n    | FC 5", "concat"),
        ("FC 20 -> SLICE 0 10", "SLICE 0 10"),
        ("FC 5 -> PADCHANNELS 10", "PADCHANNELS 10"),
        ("add\n    | FC 16\n    | @input -> GAP -> PADCHANNELS 16", "PADCHANNELS 16"),
        ("x: FC 3", ""),
    ],
)
def test_channels_that_come_from_elsewhere_are_one_error_that_says_why(lines: str, culprit: str) -> None:
    text = STEM + lines if culprit else "[8x8x3] INPUT\nGAP -> RELU"
    with pytest.raises(ArchspecError) as caught:
        resized(text, 7)
    (finding,) = caught.value.diagnostics
    assert finding.code == "E117"
    assert finding.message == "the output cannot be changed to 7 classes"
    assert f"come from `{culprit or 'INPUT'}`, which cannot be resized" in finding.notes[0]


def test_a_network_that_has_the_number_already_is_not_changed() -> None:
    assert resized(f"{STEM}concat\n    | FC 5\n    | FC 5", 10).output == (10,)


def test_a_condition_that_undoes_the_number_is_an_error() -> None:
    text = f"block last\n    if C == 7\n        FC 9\n    else\n        x\n\n{STEM}FC 10\nlast()"
    with pytest.raises(ArchspecError) as caught:
        resized(text, 7)
    assert caught.value.diagnostics[0].notes == ("with that number, last1.fc1 outputs [9]",)


RESIDUAL = """
block unit(f)
    add
        | CONV f 3x3 p1 -> RELU -> CONV f 3x3 p1
        | shortcut(f)

block shortcut(f)
    if C == f
        x
    else
        CONV f 1x1

[8x8x3] INPUT
CONV 16 3x3 p1 -> RELU
2 x unit(16)
GAP
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[8x8x3] INPUT\nCONV 16 3x3 p1 -> GN 4", "GN"),
        (RESIDUAL, "`add` cannot add"),
    ],
)
def test_a_number_that_the_layers_around_do_not_take_is_one_error_that_says_why(text: str, reason: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        resized(text, 7)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.message) == ("E117", "the output cannot be changed to 7 classes")
    assert finding.notes[0].startswith("with that number, ")
    assert reason in finding.notes[0] or reason in finding.labels[0].span.text


def test_a_claim_that_the_number_makes_false_names_the_flag() -> None:
    with pytest.raises(ArchspecError) as caught:
        resized("param k = 10\n[8x8x3] INPUT\nGAP\n[k] FC k", 7)
    (finding,) = caught.value.diagnostics
    assert finding.code == "E301"
    assert "caused by `--classes 7`" in finding.notes[-1]


def test_after_still_leaves_only_the_last_weight_layer_as_written() -> None:
    names = [node.name for node in resized(MERGED, 7).graph.nodes]
    assert names.count("gelu1") == 1
    assert "gelu2" not in names


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if not cls.is_weight_layer], ids=lambda cls: cls.__name__)
def test_a_layer_says_whether_it_keeps_its_channels(cls: type[Layer]) -> None:
    kept: dict[bool, list[bool]] = {}
    for one in examples_of(cls):
        channels = one.layer.output(one.inputs).channels
        same = [volume.channels in (1, channels) for volume in one.inputs]
        kept.setdefault(one.layer.keeps_channels, []).append(all(same))
    assert all(kept.get(True, []))
    assert not all(kept.get(False, [False]))


def test_the_last_layers_of_a_network_with_auxiliary_classifiers() -> None:
    ends = classifiers(archspec.load("googlenet").graph)
    assert [[node.name for node in end.layers] for end in ends] == [["fc1"], ["aux_head1.fc2"], ["aux_head2.fc2"]]


def test_a_loss_is_of_the_nodes_of_the_last_run() -> None:
    text = "after CONV FC: RELU\n[8x8x3] INPUT\nDWCONV 3x3 same\nr3: FC 7\ntrain\n    loss r3 1\n"
    assert sizes(resized(text, 10)) == {"dwconv1": 3, "r3": 10}
