"""Several inputs and outputs in ONNX: their names and order, what may be folded, parts of a network, and the proof."""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import archspec
from archspec.compiler import build
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.checks.sensitivity import sensitivity, together
from archspec.compiler.onnx.checks.steps import Proof
from archspec.compiler.onnx.network_with_weights import network_with_module
from archspec.compiler.onnx.proof import prove
from archspec.compiler.onnx.requirements import forward_values
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.extent import part
from archspec.graph.ir import Graph, Output
from hand_written.sharing import Siamese, TwoOutputs
from support.graphs import Sketch, siamese, two_outputs
from support.onnx_models import operators, properties, randomised, session, weights_of

PYRAMID = """
net Pyramid
[12x12x3]  INPUT
           CONV 4 3x3 p1 -> BN -> RELU
[6x6x4]    c2: CONV 4 3x3 s2 p1 floor -> BN -> RELU
[3x3x6]    c3: CONV 6 3x3 s2 p1 floor -> BN -> RELU
[3x3x4]    output p3: @c3 -> CONV 4 1x1
[6x6x4]    m2: add
               | @p3 -> UPSAMPLE 2
               | @c2
[6x6x4]    output p2: @m2 -> CONV 4 3x3 p1
[6x6x4]    output edges: @m2 -> CONV 4 3x3 p1
[5]        output scores: @c3 -> GAP -> FC 5
"""
PAIR = """
net Pair
[8x8x3]  left: INPUT
[6x4]    right: INPUT
[4]      seen: @left -> CONV 4 3x3 -> GAP
[4]      read: @right -> GAP
[8]      concat
             | @seen
             | @read
[3]      FC 3
"""


def graph_of(text: str) -> Graph:
    return archspec.loads(text).graph


def exported(graph: Graph, output: str | None = None) -> tuple[onnx.ModelProto, Graph, torch.nn.Module]:
    """The model, and the part of the network that it is of, in torch."""
    extent = part(graph, output)
    module = randomised(build(extent, seed=0))
    return emit(graph, weights_of(module), output=output), extent, module


def proof_of(model: onnx.ModelProto, graph: Graph, module: torch.nn.Module, folder: Path) -> Proof:
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return prove(folder / "net.onnx", graph, module)


def ports(values: list[onnx.ValueInfoProto]) -> dict[str, list[int]]:
    return {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim[1:]] for value in values}


# ---- names
def test_inputs_and_outputs_have_their_names_in_the_order_of_the_spec(tmp_path: Path) -> None:
    model, graph, module = exported(graph_of(PYRAMID))
    outputs = {"p3": [4, 3, 3], "p2": [4, 6, 6], "edges": [4, 6, 6], "scores": [5]}
    assert list(ports(model.graph.output).items()) == list(outputs.items())
    assert proof_of(model, graph, module, tmp_path).passed
    model, graph, module = exported(graph_of(PAIR))
    assert list(ports(model.graph.input).items()) == [("left", [3, 8, 8]), ("right", [6, 4])]
    assert proof_of(model, graph, module, tmp_path).passed


def test_a_result_with_another_name_gets_that_of_its_output_without_a_node() -> None:
    text = "[8] INPUT\ns: FC 4 -> TANH\noutput fine: @s\n[3] output coarse: FC 3\n"
    graph = graph_of(text)
    named = Graph(graph.title, graph.nodes, (Output("fine", graph.outputs[0].node), graph.outputs[1]))
    model, _, _ = exported(named)
    assert operators(model) == ["Gemm", "Tanh", "Gemm"]
    assert [node.output[0] for node in model.graph.node] == ["fc1", "fine", "coarse"]
    assert model.graph.node[2].input[0] == "fine"
    assert [one.name for one in model.graph.node] == ["fc1", "s", "coarse"]


def outputs_of(*pairs: tuple[str, str]) -> Graph:
    """A network whose results `input`, `fc`, `drop` and `end` leave it under other names."""
    sketch = Sketch()
    sketch.input("input", 8)
    for name, text in (("fc", "FC 4"), ("drop", "DROPOUT 0.5"), ("end", "FC 3")):
        sketch.layer(name, text)
    graph = sketch.graph("end")
    return Graph("named", graph.nodes, tuple(Output(name, sketch.named(node).index) for name, node in pairs))


NAMED: dict[str, tuple[tuple[tuple[str, str], ...], list[str]]] = {
    "one node is two outputs": ((("a", "fc"), ("b", "fc"), ("end", "end")), ["Gemm", "Gemm", "Identity"]),
    "an identity": ((("drop", "drop"), ("end", "end")), ["Gemm", "Gemm", "Identity"]),
    "a layer and the identity after it": ((("a", "fc"), ("b", "drop"), ("end", "end")), ["Gemm", "Gemm", "Identity"]),
    "an input": ((("a", "input"), ("end", "end")), ["Gemm", "Gemm", "Identity"]),
    "a name that another node has": ((("fc", "end"), ("end", "drop")), ["Gemm", "Gemm", "Identity"]),
    "two names exchanged": ((("fc", "end"), ("end", "fc")), ["Gemm", "Gemm"]),
}


@pytest.mark.parametrize("case", NAMED)
def test_any_result_can_leave_under_any_name(case: str, tmp_path: Path) -> None:
    pairs, expected = NAMED[case]
    model, graph, module = exported(outputs_of(*pairs))
    assert operators(model) == expected
    assert [one.name for one in model.graph.output] == [name for name, _ in pairs]
    proof = proof_of(model, graph, module, tmp_path)
    assert proof.passed, proof


# ---- what an output forbids
def test_a_bn_is_not_folded_into_a_layer_that_is_an_output(tmp_path: Path) -> None:
    text = "[6x5x4] INPUT\n[6x5x4] output a: CONV 4 3x3 p1\n[6x5x4] output b: BN -> RELU\n"
    model, graph, module = exported(graph_of(text))
    assert operators(model) == ["Conv", "BatchNormalization", "Relu"]
    assert proof_of(model, graph, module, tmp_path).passed


def test_an_output_needs_memory_to_the_end() -> None:
    chain = "[8x8x4] INPUT\n{}CONV 4 1x1\nPOOL 8x8 s1\n{}CONV 900 1x1\n"
    few, more = (forward_values(graph_of(chain.format(*words))) for words in (("", ""), ("output a: ", "output b: ")))
    assert more == few + 8 * 8 * 4


# ---- parts
def test_one_output_can_be_exported_by_its_name_or_any_result() -> None:
    for name, inputs in (("p2", ["input"]), ("c2", ["input"]), ("scores", ["input"])):
        model, _, _ = exported(graph_of(PYRAMID), name)
        assert [one.name for one in model.graph.output] == [name]
        assert [one.name for one in model.graph.input] == inputs
    nodes = {one.name for one in exported(graph_of(PYRAMID), "scores")[0].graph.node}
    assert not nodes & {"p3", "m2", "p2"}
    with pytest.raises(ArchspecError) as caught:
        exported(graph_of(PYRAMID), "score")
    assert caught.value.diagnostics[0].helps == ("did you mean `scores`?",)


def test_a_part_has_the_inputs_that_it_uses() -> None:
    for name, kept in (("seen", "left"), ("read", "right")):
        model, graph, module = exported(graph_of(PAIR), name)
        assert [one.name for one in model.graph.input] == [kept]
        module(*random_inputs(graph, 2))


# ---- metadata
def test_the_metadata_say_what_each_input_and_output_is() -> None:
    told = properties(exported(graph_of(PYRAMID))[0])
    kinds = {"p3": "features", "p2": "features", "edges": "features", "scores": "scores"}
    assert (told["archspec.result"], json.loads(told["archspec.outputs"])) == ("features", kinds)
    assert "archspec.inputs" not in told
    told = properties(exported(graph_of(PAIR))[0])
    assert json.loads(told["archspec.inputs"]) == {"left": "[8x8x3]", "right": "[6x4]"}
    assert "archspec.outputs" not in told
    told = properties(exported(graph_of(PYRAMID), "scores")[0])
    assert (told["archspec.result"], "archspec.outputs" in told) == ("scores", False)


def test_only_a_part_that_takes_one_image_describes_its_preprocessing() -> None:
    pair = archspec.loads(PAIR)
    for output, is_image in ((None, False), ("seen", True), ("read", False)):
        found = network_with_module(pair, None, output, 0).about.preprocessing
        assert (found is not None) == is_image


# ---- the proof
def swapped(model: onnx.ModelProto) -> None:
    """What computes `p2` is called `edges`, and the other way round."""
    for node in model.graph.node:
        if node.output[0] in ("p2", "edges"):
            node.output[0] = "edges" if node.output[0] == "p2" else "p2"


def exchanged(model: onnx.ModelProto) -> None:
    """`edges` comes before `p2`; whoever goes by the names sees no difference."""
    outputs = [model.graph.output[place] for place in (0, 2, 1, 3)]
    del model.graph.output[:]
    model.graph.output.extend(outputs)


def wrong_second(model: onnx.ModelProto) -> None:
    tensor = next(one for one in model.graph.initializer if one.name == "p2.bias")
    tensor.CopyFrom(numpy_helper.from_array(1.01 * numpy_helper.to_array(tensor), "p2.bias"))


def one_less(model: onnx.ModelProto) -> None:
    del model.graph.output[3]


STEPS = ("batch 1", "batch 3", "float64")
FAULTS: dict[str, tuple[Callable[[onnx.ModelProto], None], list[str]]] = {
    "two outputs of a shape swapped": (swapped, [f"{name}: {step}" for name in ("p2", "edges") for step in STEPS]),
    "outputs in another order": (exchanged, ["shapes"]),
    "the second output wrong": (wrong_second, [f"p2: {step}" for step in STEPS]),
    "an output missing": (one_less, ["shapes", "onnxruntime"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_any_output_is_reported_with_its_name(name: str, tmp_path: Path) -> None:
    fault, steps = FAULTS[name]
    model, graph, module = exported(graph_of(PYRAMID))
    fault(model)
    proof = proof_of(model, graph, module, tmp_path)
    assert [one.name for one in proof.checks if not one.passed] == steps, proof


def test_inputs_of_a_shape_that_are_swapped_are_reported(tmp_path: Path) -> None:
    text = "[4] left: INPUT\n[4] right: INPUT\nadd\n    | @left -> TANH\n    | @right -> FC 4\n"
    model, graph, module = exported(graph_of(text))
    assert proof_of(model, graph, module, tmp_path).passed
    for node in model.graph.node:
        node.input[:] = [{"left": "right", "right": "left"}.get(name, name) for name in node.input]
    failed = [one.name for one in proof_of(model, graph, module.float(), tmp_path).checks if not one.passed]
    assert failed == list(STEPS)
    names = [model.graph.input[place] for place in (1, 0)]
    del model.graph.input[:]
    model.graph.input.extend(names)
    assert "the inputs are `right`, `left`" in str(proof_of(model, graph, module.float(), tmp_path))


def test_each_output_has_the_bound_of_its_own_size(tmp_path: Path) -> None:
    text = "[8] INPUT\noutput small: FC 4 -> SCALE 0.0001 fixed\noutput large: SCALE 100000000 fixed -> FC 4\n"
    model, graph, module = exported(graph_of(text))
    proof = proof_of(model, graph, module, tmp_path)
    assert proof.passed, proof
    inputs = random_inputs(graph, 1)
    with torch.inference_mode():
        small, large = sensitivity(module.float(), inputs, together(module(*inputs)))
    assert large > 1e6 * small
    scale = next(one for one in model.graph.initializer if one.name == "small/value")
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * np.float32(1.01), scale.name))
    failed = {
        one.name.split(":")[0] for one in proof_of(model, graph, module.float(), tmp_path).checks if not one.passed
    }
    assert "small" in failed


# ---- beside torch's exporter
def torchs_own(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], outputs: list[str]) -> onnx.ModelProto:
    file = io.BytesIO()
    names = [f"input{place}" for place in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there is a newer exporter, which needs further packages
        torch.onnx.export(
            module,
            inputs,
            file,  # type: ignore[arg-type]  # torch's stubs speak of the other exporter
            dynamo=False,
            opset_version=18,
            input_names=names,
            output_names=outputs,
        )
    return onnx.load_from_string(file.getvalue())


TOWER_WEIGHTS = {"tower.0": "left.l1", "tower.1": "left.l2", "tower.4": "left.l5", "tower.7": "left.l7"}


@pytest.mark.parametrize(
    ("graph", "theirs", "names"),
    [(two_outputs(), TwoOutputs(), {}), (siamese(), Siamese(), TOWER_WEIGHTS)],
    ids=["two outputs", "siamese"],
)
def test_a_network_stands_beside_that_of_torchs_exporter(
    graph: Graph, theirs: torch.nn.Module, names: dict[str, str]
) -> None:
    randomised(theirs)
    weights = {}
    for name, array in weights_of(theirs).items():
        path, _, tensor = name.rpartition(".")
        weights[f"{names.get(path, path)}.{tensor}"] = array
    outputs = [output.name for output in graph.outputs]
    inputs = random_inputs(graph, 1, torch.Generator().manual_seed(0))
    own = emit(graph, weights)
    other = torchs_own(theirs, inputs, outputs)
    for operator in ("Conv", "Gemm", "MaxPool", "BatchNormalization"):
        assert operators(own).count(operator) == operators(other).count(operator)
    results = []
    for model in (own, other):
        opened = session(model)
        fed = {value.name: one.numpy() for value, one in zip(opened.get_inputs(), inputs, strict=True)}
        results.append(opened.run(outputs, fed))
    for one, another in zip(*results, strict=True):
        np.testing.assert_allclose(one, another, rtol=1e-4, atol=1e-4)
    assert len(own.graph.initializer) <= len(other.graph.initializer)


def test_a_model_is_what_onnx_takes_for_one() -> None:
    for graph in (graph_of(PYRAMID), graph_of(PAIR), siamese()):
        model, _, _ = exported(graph)
        onnx.checker.check_model(model, full_check=True)
        assert len({one.name for one in model.graph.initializer}) == len(model.graph.initializer)
