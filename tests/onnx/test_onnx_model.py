"""The model as a whole: its names, metadata, batch, folded BNs, extents, sizes, and the same bytes everywhere."""

from collections.abc import Iterator

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

import archspec
from archspec.api import Network
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.emitters.registry import EMITTERS, emits
from archspec.compiler.onnx.model import IR_VERSION, OPSET
from archspec.compiler.onnx.node_writer import NodeWriter
from archspec.compiler.weights.model_metadata import ModelMetadata
from archspec.diagnostics.errors import ArchspecError
from archspec.layers.conv import Conv
from support.onnx_models import SMALL, HandNetwork, images, operators, properties, randomised, run, weights_of

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


def dimensions(value: onnx.ValueInfoProto) -> list[str | int]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


# ---- names, metadata, versions
def test_values_weights_and_nodes_have_the_specs_names() -> None:
    model = model_of(SMALL)
    assert [node.name for node in model.graph.node][:4] == ["conv1", "relu1", "body.unit1.conv1", "body.unit1.relu1"]
    weights = {tensor.name for tensor in model.graph.initializer}
    assert weights >= {"conv1.weight", "body.unit2.conv2.bias", "fc1.weight"}
    values = {output for node in model.graph.node for output in node.output}
    names = {node.name for node in network(SMALL).graph.nodes}
    assert {value for value in values if "/" not in value} <= names
    assert [model.graph.input[0].name, model.graph.output[0].name] == ["input", "fc1"]


def test_a_node_says_where_it_stands_in_the_spec_and_which_blocks_called_it() -> None:
    node = next(node for node in model_of(SMALL).graph.node if node.name == "body.unit2.conv1")
    assert properties(node) == {
        "called_from": "small.arch:9 small.arch:13",
        "layer": "CONV 8 3x3 p1 nobias -> BN",
        "spec": "small.arch:5",
    }


def test_the_batch_is_dynamic_and_all_other_sizes_are_known() -> None:
    model = model_of(SMALL)
    assert dimensions(model.graph.input[0]) == ["batch", 3, 16, 16]
    assert dimensions(model.graph.output[0]) == ["batch", 5]
    assert all(dimensions(value)[0] == "batch" for value in model.graph.value_info)


def test_opset_and_ir_version_are_set_and_only_gelu_needs_a_newer_opset() -> None:
    plain, gelu = model_of(SMALL), model_of("[8] INPUT\n[8] FC 8 -> GELU\n[3] FC 3\n")
    assert (OPSET, IR_VERSION) == (18, 10)
    assert [(one.ir_version, one.opset_import[0].version) for one in (plain, gelu)] == [(10, 18), (10, 20)]
    assert [len(one.opset_import) for one in (plain, gelu)] == [1, 1]


def test_the_model_says_its_classes_and_preprocessing() -> None:
    net = network(SMALL)
    preprocessing = Preprocessing(16, 16, "RGB", (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    names = ["cat", "dog", "épée", "a, b", '"']
    model = emit(net.graph, weights_of(hand(net)), class_names=names, preprocessing=preprocessing)
    assert ModelMetadata.from_properties(properties(model)) == ModelMetadata(
        "Small", "scores", tuple(names), preprocessing
    )


def test_dropout_vanishes_and_a_net_that_ends_in_it_keeps_its_outputs_name() -> None:
    assert "Dropout" not in operators(model_of(SMALL))
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
    "relu1": "relu1",
    "bn1": "bn1",
    "conv1": "conv1",
    "body": "body.unit2.relu2",
    "body.unit1": "body.unit1.relu2",
}


@pytest.mark.parametrize(("name", "output"), ENDS.items())
def test_a_model_can_end_in_any_named_result(name: str, output: str) -> None:
    net = network(SMALL)
    model = model_of(SMALL, name)
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
        ("boddy", "unknown result `boddy`", ("did you mean `body`?",)),
        ("zzz", "unknown result `zzz`", ("`archspec check SPEC --all` shows all names",)),
        ("input", "`input` is the network's input, not a result", ()),
    ],
)
def test_an_unknown_output_is_an_error_with_a_hint(name: str, message: str, helps: tuple[str, ...]) -> None:
    with pytest.raises(ArchspecError) as caught:
        model_of(SMALL, name)
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
    for name, array in weights_of(hand(network(SMALL))).items():
        if name != "body.unit1.conv1.weight":
            yield name, array
        elif change == "shape":
            yield name, array[:, :, :1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gone", "the weights have no `body.unit1.conv1.weight`"),
        ("shape", "`body.unit1.conv1.weight` is 8x8x1x3 in the weights, and 8x8x3x3 in the spec"),
    ],
)
def test_weights_that_do_not_fit_name_the_first_that_does_not(change: str, message: str) -> None:
    with pytest.raises(ArchspecError) as caught:
        emit(network(SMALL).graph, dict(broken(change)))
    assert caught.value.diagnostics[0].message == message


# ---- the registry
def test_a_layer_has_one_emitter() -> None:
    with pytest.raises(ValueError, match="two emitters for CONV: convolution, second"):

        @emits(Conv)
        def second(writer: NodeWriter) -> str:
            return writer.x

    assert EMITTERS[Conv].__name__ == "convolution"
