"""Shared weights: what the layers of shared blocks and those with `weights=` make, use and are called."""

from pathlib import Path

import archspec
from archspec.graph.extent import upto
from archspec.network import MeasuredNetwork
from archspec.report import report

CONV = "block tower shared\n    CONV 6 3x3 p1 -> BN -> RELU -> GAP -> FC 5\n"
I = "[8x8x4] INPUT\n"  # noqa: E741  # the input
SIAMESE = CONV + "[8x8x4] left: INPUT\n[9x7x4] right: INPUT\nmul\n    | @left -> tower()\n    | @right -> tower()\n"
TOWER = 4 * 6 * 9 + 2 * 6 + 6 * 5 + 5  # its CONV has no bias


def owners(network: MeasuredNetwork) -> dict[str, str]:
    """Return whose parameters each layer uses, of those that use others'."""
    return {node.name: node.weights.owner for node in network.graph.nodes if node.weights}


def made(network: MeasuredNetwork) -> dict[str, list[str]]:
    """Return the tensors that each layer makes, of those that make some."""
    graph = network.graph
    found = {node.name: [one.name for one in graph.tensors(node)] for node in graph.nodes if node.inputs}
    return {name: names for name, names in found.items() if names}


def test_two_towers_have_one_set_of_parameters_and_twice_the_work() -> None:
    shared, plain = archspec.loads(SIAMESE), archspec.loads(SIAMESE.replace(" shared", ""))
    assert (shared.params, plain.params) == (TOWER, 2 * TOWER)
    assert (shared.macs, shared.activations) == (plain.macs, plain.activations)
    assert owners(shared) == {f"tower2.{name}": f"tower1.{name}" for name in ("conv1", "bn1", "fc1")}
    assert made(shared) == {
        "tower1.conv1": ["weight"],
        "tower1.bn1": ["weight", "bias"],
        "tower1.fc1": ["weight", "bias"],
    }
    assert shared.graph.parameter(shared["tower2.fc1"].node, "bias") == "tower1.fc1.bias"


def test_results_have_the_names_of_their_own_calls() -> None:
    plain = archspec.loads(SIAMESE.replace(" shared", ""))
    assert [node.name for node in archspec.loads(SIAMESE).graph.nodes] == [node.name for node in plain.graph.nodes]


def test_labels_name_the_owner() -> None:
    text = f"{CONV}{I}a: tower()\nb: @input -> tower()\nadd\n    | @a\n    | @b\n"
    assert owners(archspec.loads(text)) == {f"b.{name}": f"a.{name}" for name in ("conv1", "bn1", "fc1")}


def test_each_instance_of_the_block_around_has_its_own() -> None:
    mlp = "block mlp shared\n    FC 2 -> RELU -> FC C\n"
    gate = "block gate\n    mul\n        | x\n        | GAP -> mlp()\n        | GAP -> mlp() -> SIGMOID\n"
    network = archspec.loads(f"{mlp}{gate}{I}2 x gate()\n")
    assert owners(network) == {f"gate{n}.mlp2.{fc}": f"gate{n}.mlp1.{fc}" for n in (1, 2) for fc in ("fc1", "fc2")}


def test_shared_blocks_inside_shared_blocks_have_one_owner() -> None:
    inner = "block inner shared\n    FC C -> RELU\n"
    outer = "block outer shared\n    2 x inner()\n    FC C -> RELU\n"
    network = archspec.loads(f"{inner}{outer}[6x4] INPUT\n2 x outer()\n")
    assert network.params == 2 * (4 * 4 + 4)
    assert owners(network) == {
        "outer1.inner2.fc1": "outer1.inner1.fc1",
        "outer2.inner1.fc1": "outer1.inner1.fc1",
        "outer2.inner2.fc1": "outer1.inner1.fc1",
        "outer2.fc1": "outer1.fc1",
    }


def test_a_repeat_of_a_shared_block_is_one_block_many_times_deep() -> None:
    block = "block encoder shared\n    add\n        | LN -> MHSA 2\n        | x\n"
    networks = [archspec.loads(f"{block}[6x4] INPUT\n{times} x encoder()\n") for times in (1, 12)]
    assert networks[0].params == networks[1].params
    assert networks[1].macs == 12 * networks[0].macs
    assert networks[1].weight_layers == 12


def test_a_block_that_is_a_parameter_shares_in_the_instance_that_calls_it() -> None:
    unit = "block unit(f) shared\n    CONV f 1x1 -> RELU\n"
    stage = "block stage(kind)\n    2 x kind(4)\n"
    network = archspec.loads(f"{unit}{stage}{I}2 x stage(unit)\n")
    assert owners(network) == {f"stage{n}.unit2.conv1": f"stage{n}.unit1.conv1" for n in (1, 2)}


def test_a_call_in_training_only_owns_nothing_while_the_trunk_has_one() -> None:
    head = "block head(f) shared\n    GAP -> FC f\n"
    text = f"{head}{I}CONV 4 3x3 p1 -> RELU\naux 0.3: head(10)\nCONV 4 3x3 p1 -> RELU\naux 0.2: head(10)\n"
    network = archspec.loads(text + "head(10)\n")
    assert owners(network) == {"head1.fc1": "head3.fc1", "head2.fc1": "head3.fc1"}
    assert network.params == 2 * (4 * 4 * 9 + 4) + 4 * 10 + 10
    assert [totals.params for totals in network.auxiliary] == [0, 0]
    assert owners(archspec.loads(text + "GAP -> FC 10\n")) == {"head2.fc1": "head1.fc1"}


def test_a_number_of_classes_is_that_of_every_call(tmp_path: Path) -> None:
    head = "block head(f) shared\n    GAP -> FC f\n"
    spec = tmp_path / "heads.arch"
    spec.write_text(f"{head}{I}a: head(10)\n@input -> CONV 4 1x1 -> RELU\nmul\n    | x\n    | @a -> FC 4\nhead(10)\n")
    network = archspec.load(str(spec), classes=3)
    assert [network[name].node.volume for name in ("a.fc1", "head1.fc1")] == [(3,), (3,)]


def test_maps_may_differ_in_size_and_arguments_that_are_the_same() -> None:
    block = "block head(f, k=3) shared\n    CONV f k x k same -> RELU\n"
    text = f"{block}{I}head(4) -> POOL 2x2 s2 -> head(4, k=3) -> POOL 2x2 s2 -> head(k=2+1, f=4)\n"
    assert archspec.loads(text).params == 4 * 4 * 9 + 4


def test_a_layer_uses_the_tensors_of_the_same_name_and_shape() -> None:
    network = archspec.loads("[6x4] INPUT\nwords: FC 4 nobias\nRELU\na: FC 4 weights=@words\nRELU\nFC 4 weights=@a\n")
    assert owners(network) == {"a": "words", "fc3": "words"}
    assert made(network) == {"words": ["weight"], "a": ["bias"], "fc3": ["bias"]}


def test_weights_inside_shared_blocks_are_those_of_the_first_call() -> None:
    block = "block tied shared\n    words: FC 4 nobias\n    RELU\n    FC 4 nobias weights=@words\n"
    network = archspec.loads(f"{block}[6x4] INPUT\ntied() -> RELU -> tied()\n")
    assert set(owners(network).values()) == {"tied1.words"}
    assert made(network) == {"tied1.words": ["weight"]}


def test_weights_of_a_result_inside_a_call() -> None:
    block = "block two\n    first: FC 4 nobias\n    RELU\n    FC 4\n"
    assert owners(archspec.loads(f"{block}[6x4] INPUT\na: two()\nRELU\nFC 4 weights=@a.first\n")) == {"fc1": "a.first"}


def test_a_part_without_the_owner_makes_its_parameters_under_their_name() -> None:
    graph = archspec.loads(SIAMESE).graph
    part = upto(graph, next(node.index for node in graph.nodes if node.name == "tower2.fc1"))
    (node,) = (node for node in part.nodes if node.name == "tower2.fc1")
    assert [one.name for one in part.tensors(node)] == ["weight", "bias"]
    assert part.parameter(node, "weight") == "tower1.fc1.weight"


def test_the_table_and_the_data_say_whose_parameters_they_are() -> None:
    network = archspec.loads(SIAMESE)
    opened, closed = (report(network, depth=depth).splitlines() for depth in (1, 0))
    rows = opened[next(place for place, line in enumerate(opened) if line.startswith("tower2")) :]
    assert "  of tower1.conv1  " in next(line for line in rows if "conv1" in line)
    assert any("of tower1 " in line for line in closed if line.startswith("tower2"))
    layers = {layer["name"]: layer for layer in network.to_dict()["layers"]}
    assert (layers["tower1.fc1"]["owner"], layers["tower1.fc1"]["tensors"]) == (None, ["weight", "bias"])
    assert (layers["tower2.fc1"]["owner"], layers["tower2.fc1"]["tensors"]) == ("tower1.fc1", [])
    assert layers["tower2.fc1"]["params"] == 0
