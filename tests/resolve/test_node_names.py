"""Names of nodes and what is said of the instances of a block."""

import pytest

import archspec


def test_layers_are_numbered_by_kind_and_skip_the_names_of_labels() -> None:
    text = "[8x8x4] INPUT\nCONV 4 3x3 same -> RELU\nconv1: CONV 4 1x1\nCONV 4 1x1 -> RELU\nconv5: FC 2\n"
    network = archspec.loads(text)
    assert [row.node.name for row in network.layers] == [
        "input",
        "conv2",
        "relu1",
        "conv1",
        "conv4",
        "relu2",
        "conv5",
    ]


def test_a_finding_in_every_instance_is_reported_once_for_the_first() -> None:
    block = "block unit(f)\n    add\n        | CONV g 3x3 same\n        | x\n"
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.loads(f"{block}[8x8x4] INPUT\n3 x unit(4)\nFC 2\n")
    (finding,) = caught.value.diagnostics
    assert finding.notes[-2:] == ("in `unit(4)`, 1st of 3, called on line 6 as unit1", "the same in 2 more instances")
