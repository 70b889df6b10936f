"""The model as a whole: its names, metadata, batch, folded BNs, extents, sizes, and the same bytes everywhere."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx_models import HandNetwork, images, randomised, run, weights_of

import archspec
from archspec.api import Network
from archspec.compiler.about import About, Preprocessing
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.emit import emitted
from archspec.compiler.onnx.file import write
from archspec.compiler.onnx.model import IR_VERSION, OPSET, assemble, need_room, write_data
from archspec.compiler.onnx.registry import EMITTERS, emits
from archspec.compiler.onnx.step import Step, Weights
from archspec.diagnostics import SpecError
from archspec.layers.conv import Conv

ROOT = Path(__file__).parents[1]
SPEC = """
net Small
block unit(f)
    add
        | CONV f 3x3 p1 -> BN -> RELU -> CONV f 3x3 p1 -> BN
        | x
    RELU
block stage(f, n)
    n x unit(f)

[16x16x3]  INPUT
[16x16x8]  CONV 8 3x3 p1 -> BN -> RELU
[16x16x8]  body: stage(8, 2)
[8]        GAP -> DROPOUT 0.5
[5]        FC 5
"""
CLOSE = 2e-6


def network(text: str) -> Network:
    return archspec.loads(text, "small.arch")


def hand(net: Network) -> HandNetwork:
    made = HandNetwork(net.graph)
    randomised(made)
    return made


def model_of(text: str, output: str | None = None) -> onnx.ModelProto:
    net = network(text)
    return emit(net.graph, weights_of(hand(net)), output=output)


def agree(model: onnx.ModelProto, net: Network) -> bool:
    """Whether the model computes what the network written by hand does, in float64."""
    tensors = images((net.input,), 3)
    with torch.no_grad():
        expected = hand(net).double()(tensors[0].double()).numpy()
    return bool(np.abs(run(model, tensors) - expected).max() <= CLOSE * np.abs(expected).max())


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def properties(proto: onnx.NodeProto | onnx.ModelProto) -> dict[str, str]:
    return {one.key: one.value for one in proto.metadata_props}


def dimensions(value: onnx.ValueInfoProto) -> list[str | int]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


# ---- names, metadata, versions
def test_values_weights_and_nodes_have_the_specs_names() -> None:
    model = model_of(SPEC)
    assert [node.name for node in model.graph.node][:4] == ["conv1", "relu1", "body.unit1.conv1", "body.unit1.relu1"]
    weights = {tensor.name for tensor in model.graph.initializer}
    assert weights >= {"conv1.weight", "body.unit2.conv2.bias", "fc1.weight"}
    values = {output for node in model.graph.node for output in node.output}
    names = {node.name for node in network(SPEC).graph.nodes}
    assert {value for value in values if "/" not in value} <= names
    assert [model.graph.input[0].name, model.graph.output[0].name] == ["input", "fc1"]


def test_a_node_says_where_it_stands_in_the_spec_and_which_blocks_called_it() -> None:
    node = next(node for node in model_of(SPEC).graph.node if node.name == "body.unit2.conv1")
    assert properties(node) == {
        "called_from": "small.arch:9 small.arch:13",
        "layer": "CONV 8 3x3 p1 nobias -> BN",
        "spec": "small.arch:5",
    }


def test_the_batch_is_dynamic_and_all_other_sizes_are_known() -> None:
    model = model_of(SPEC)
    assert dimensions(model.graph.input[0]) == ["batch", 3, 16, 16]
    assert dimensions(model.graph.output[0]) == ["batch", 5]
    assert all(dimensions(value)[0] == "batch" for value in model.graph.value_info)


def test_opset_and_ir_version_are_set_and_only_gelu_needs_a_newer_opset() -> None:
    plain, gelu = model_of(SPEC), model_of("[8] INPUT\n[8] FC 8 -> GELU\n[3] FC 3\n")
    assert (OPSET, IR_VERSION) == (18, 10)
    assert [(one.ir_version, one.opset_import[0].version) for one in (plain, gelu)] == [(10, 18), (10, 20)]
    assert [len(one.opset_import) for one in (plain, gelu)] == [1, 1]


def test_the_model_says_its_classes_and_preprocessing() -> None:
    net = network(SPEC)
    preprocessing = Preprocessing(16, 16, "RGB", (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    names = ["cat", "dog", "épée", "a, b", '"']
    model = emit(net.graph, weights_of(hand(net)), class_names=names, preprocessing=preprocessing)
    assert About.from_properties(properties(model)) == About("Small", "scores", tuple(names), preprocessing)


def test_dropout_vanishes_and_a_net_that_ends_in_it_keeps_its_outputs_name() -> None:
    assert "Dropout" not in operators(model_of(SPEC))
    net = network("[8] INPUT\n[3] FC 3 -> DROPOUT 0.5\n")
    model = emit(net.graph, weights_of(hand(net)))
    assert operators(model) == ["Gemm", "Identity"]
    assert model.graph.output[0].name == "dropout1"


# ---- BN
FOLDED = {
    "CONV 6 3x3 -> BN": ["Conv"],
    "CONV 6 3x3 bias -> BN": ["Conv"],
    "CONV 8 3x3 g4 -> BN": ["Conv"],
    "DWCONV 3x3 -> BN": ["Conv"],
    "UPCONV 6 2x2 s2 -> BN": ["ConvTranspose"],
    "FC 6 -> BN": ["Flatten", "Gemm"],
    "TOKENS -> FC 6 -> BN": ["Reshape", "Transpose", "MatMul", "Add"],
    "CONV 6 3x3 -> RELU -> BN": ["Conv", "Relu", "BatchNormalization"],
    "RELU -> BN": ["Relu", "BatchNormalization"],
    "CONV 6 3x3 -> DROPOUT 0.1 -> BN": ["Conv", "BatchNormalization"],
}


@pytest.mark.parametrize("chain", FOLDED)
def test_a_bn_is_folded_into_the_layer_directly_before_it(chain: str) -> None:
    net = network(f"[6x5x4] INPUT\n{chain}\n")
    model = emit(net.graph, weights_of(hand(net)))
    assert operators(model) == FOLDED[chain]
    assert agree(model, net)


def test_a_bn_is_not_folded_where_another_layer_reads_what_it_reads() -> None:
    net = network("[6x5x4] INPUT\nc: CONV 4 3x3 p1\nb: BN\nadd\n    | @c\n    | @b\n")
    model = emit(net.graph, weights_of(hand(net)))
    assert operators(model) == ["Conv", "BatchNormalization", "Add"]
    assert agree(model, net)


# ---- extent
ENDS = {
    "relu1": "relu1", "bn1": "bn1", "conv1": "conv1", "body": "body.unit2.relu2", "body.unit1": "body.unit1.relu2",
}  # fmt: skip


@pytest.mark.parametrize(("name", "output"), ENDS.items())
def test_a_model_can_end_in_any_named_result(name: str, output: str) -> None:
    net = network(SPEC)
    model = model_of(SPEC, name)
    assert model.graph.output[0].name == output
    tensors = images((net.input,), 2)
    module = hand(net)
    seen: list[torch.Tensor] = []
    module.get_submodule(output).register_forward_hook(lambda _m, _i, value: seen.append(value.clone()))
    with torch.no_grad():
        module(*tensors)
    np.testing.assert_allclose(run(model, tensors), seen[0].numpy(), rtol=1e-4, atol=1e-4)
    assert properties(model)["archspec.result"] == "features"


@pytest.mark.parametrize(
    ("name", "message", "helps"),
    [
        ("boddy", "no result is called `boddy`", ("did you mean `body`?",)),
        ("zzz", "no result is called `zzz`", ("`archspec check SPEC --all` shows all names",)),
        ("input", "`input` is what enters: nothing leads to it", ()),
    ],
)
def test_an_unknown_output_is_an_error_with_a_hint(name: str, message: str, helps: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as caught:
        model_of(SPEC, name)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.message, finding.helps) == ("E420", message, helps)


def test_auxiliary_classifiers_are_left_out_and_can_be_asked_for() -> None:
    text = "[8x8x3] INPUT\nCONV 4 3x3 -> RELU\naux 0.3: head(5)\nGAP -> FC 5\nblock head(n)\n    GAP -> FC n\n"
    net = network(text)
    auxiliary = next(node.name for node in net.graph.nodes if node.head and node.layer.keyword == "FC")
    assert auxiliary not in [node.name for node in model_of(text).graph.node]
    assert model_of(text, auxiliary).graph.output[0].name == auxiliary


# ---- weights that do not fit
def broken(change: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for name, array in weights_of(hand(network(SPEC))).items():
        if name != "body.unit1.conv1.weight":
            yield name, array
        elif change == "shape":
            yield name, array[:, :, :1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gone", "the weights have no `body.unit1.conv1.weight`"),
        ("shape", "`body.unit1.conv1.weight` is 8x8x1x3 in the weights, and the spec makes it 8x8x3x3"),
    ],
)
def test_weights_that_do_not_fit_name_the_first_that_does_not(change: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        emit(network(SPEC).graph, dict(broken(change)))
    assert caught.value.diagnostics[0].message == message


# ---- size
def test_weights_beyond_2_gib_are_refused_with_their_size() -> None:
    net = network("[65536] INPUT\n[8192] FC 8192 nobias\n")
    zero = np.zeros(1, dtype=np.float32)
    with pytest.raises(SpecError) as caught:
        need_room(emitted(net.graph, {"fc1.weight": np.broadcast_to(zero, (8192, 65536))}))
    (finding,) = caught.value.diagnostics
    assert finding.message == "the weights take 2.00 GiB, and one ONNX file holds less than 2"
    assert finding.helps == ("`--external-data` puts them into a file beside it",)


def test_weights_in_a_file_of_their_own_give_the_same_network(tmp_path: Path) -> None:
    net = network(SPEC)
    weights: Weights = weights_of(hand(net))
    parts = emitted(net.graph, weights)
    apart = assemble(net.graph, parts, About("Small", "scores"), "small.onnx.data")
    write(tmp_path / "small.onnx.data", lambda file: write_data(parts, file))
    write(tmp_path / "small.onnx", lambda file: file.write(apart.SerializeToString()))
    whole = emit(net.graph, weights)
    onnx.checker.check_model(tmp_path / "small.onnx", full_check=True)
    assert len(apart.SerializeToString()) < len(whole.SerializeToString()) / 2
    loaded = {one.name: numpy_helper.to_array(one) for one in onnx.load(tmp_path / "small.onnx").graph.initializer}
    for tensor in whole.graph.initializer:
        np.testing.assert_array_equal(loaded[tensor.name], numpy_helper.to_array(tensor))


# ---- the same bytes
PROGRAM = """
import hashlib, sys
import numpy as np
import archspec
from archspec.compiler.onnx import emit
spec = sys.argv[1]
graph = archspec.load(spec).graph
generator = np.random.default_rng(0)
weights = {}
for node in graph.nodes:
    for tensor in graph.tensors(node):
        weights[node.name + "." + tensor.name] = generator.standard_normal(tensor.shape, dtype=np.float32)
    if node.layer.keyword == "BN":
        for name in ("running_mean", "running_var"):
            weights[node.name + "." + name] = generator.random(node.volume.channels, dtype=np.float32)
data = emit(graph, weights).SerializeToString(deterministic=True)
sys.stdout.buffer.write(hashlib.sha256(data).hexdigest().encode() + b" " + archspec.__file__.encode() + b"\\n" + data)
"""


def bytes_of(site: Path, folder: Path, seed: str) -> tuple[str, Path, bytes]:
    """The hash, where archspec was imported from, and the bytes, of a fresh process in `folder`."""
    folder.mkdir()
    (folder / "small.arch").write_text(SPEC, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", PROGRAM, str(folder / "small.arch")]
    done = subprocess.run(command, capture_output=True, check=True, cwd=folder, env=environment)
    head, data = done.stdout.split(b"\n", maxsplit=1)
    digest, place = head.decode().split(" ", maxsplit=1)
    assert digest == hashlib.sha256(data).hexdigest()
    return digest, Path(place), data


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path, bytes]]:
    """The same spec by two installations, from two folders, with two hash seeds."""
    home = tmp_path_factory.mktemp("two installations")
    made = shutil.ignore_patterns("__pycache__")
    for name in ("first", "second"):
        shutil.copytree(ROOT / "archspec", home / name / "archspec", ignore=made)
        for part in ("compiler", "grammar", "specs"):
            shutil.copytree(ROOT / part, home / name / "archspec" / part, ignore=made)
    return [bytes_of(home / name, home / f"in {name}", seed) for name, seed in (("first", "1"), ("second", "2"))]


def test_two_installations_write_the_same_bytes(two_runs: list[tuple[str, Path, bytes]]) -> None:
    (one, here, _), (other, there, _) = two_runs
    assert here != there
    assert one == other


def test_no_path_of_the_machine_is_in_the_bytes(two_runs: list[tuple[str, Path, bytes]]) -> None:
    for _, place, data in two_runs:
        assert b"small.arch:13" in data
        for part in {place.parents[2].name, Path.home().name, ROOT.name, Path(sys.prefix).name}:
            assert f"{part}/".encode() not in data


# ---- the registry
def test_a_layer_has_one_emitter() -> None:
    with pytest.raises(ValueError, match="two emitters for CONV: convolution, second"):

        @emits(Conv)
        def second(step: Step) -> str:
            return step.x

    assert EMITTERS[Conv].__name__ == "convolution"
