"""Shared and tied weights in ONNX: one initializer a parameter, folded or not, and faults that the proof reports."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import archspec
from archspec.compiler import build
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.proof import prove
from archspec.graph.extent import part
from archspec.graph.ir import Graph
from archspec.record import replace
from support.graphs import Sketch
from support.onnx_models import HandNetwork, operators, properties, randomised, weights_of

SIAMESE = """
block tower shared
    CONV 4 3x3 p1 -> BN -> RELU -> MAXPOOL 2x2 s2 -> CONV 6 3x3 -> BN -> RELU -> FC 5

[8x8x1]  left: INPUT
[8x8x1]  right: INPUT
[5]      mul
             | @left -> tower()
             | @right -> tower()
"""
GATES = """
block gate(f)
    s: CONV f 3x3 p1
    add
        | @s -> GAP -> mlp(f)
        | @s -> SCALE 0.5 fixed -> GAP -> mlp(f)
    g: SIGMOID
    mul
        | @s
        | @g
block mlp(f) shared
    FC f/2 -> RELU -> FC f

[8x8x3]  INPUT
[8x8x4]  gate(4)
[8x8x4]  gate(4)
"""
LEVELS = """
block head shared
    CONV 6 3x3 p1 -> BN -> RELU -> CONV 3 3x3 p1

[12x12x4] INPUT
          c2: CONV 4 3x3 p1 -> RELU
          c3: CONV 4 3x3 s2 p1 floor -> RELU
[12x12x3] output fine: @c2 -> head()
[6x6x3]   output coarse: @c3 -> head()
"""
ENCODERS = """
block encoder shared
    add
        | LN -> MHSA 2
        | x
    add
        | LN -> FC 16 -> GELU -> FC 8
        | x

[6x8]  INPUT
       3 x encoder()
"""
WORDS = """
[6]     tokens: INPUT tokens
[6]     segments: INPUT tokens
[6x8]   words: @tokens -> EMBED 20 8
[6x8]   add
            | @words
            | @segments -> EMBED 2 8
        add
            | LN -> MHSA 2 causal
            | x
        add
            | MHSA 2 causal
            | x
[6x20]  FC 20 weights=@words
"""
SPECS = {"siamese": SIAMESE, "gates": GATES, "levels": LEVELS, "encoders": ENCODERS, "words": WORDS}
INITIALIZERS = {"siamese": 6, "gates": 12, "levels": 8, "encoders": 12, "words": 13}


@cache
def graph_of(name: str) -> Graph:
    return archspec.loads(SPECS[name]).graph


def exported(graph: Graph, output: str | None = None) -> tuple[onnx.ModelProto, Graph, torch.nn.Module]:
    extent = part(graph, output)
    module = randomised(build(extent, seed=0))
    return emit(graph, weights_of(module), output=output), extent, module


def failed(model: onnx.ModelProto, graph: Graph, module: torch.nn.Module, folder: Path) -> list[str]:
    """The steps of the proof that fail."""
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    proof = prove(folder / "net.onnx", graph, module)
    module.float()
    return [one.name for one in proof.checks if not one.passed]


def weights_in(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The initializers that hold weights."""
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer if "/" not in one.name}


# ---- one initializer
@pytest.mark.parametrize("name", SPECS)
def test_a_shared_parameter_is_one_initializer_under_its_owners_name(name: str, tmp_path: Path) -> None:
    graph = graph_of(name)
    model, extent, module = exported(graph)
    held = weights_in(model)
    assert len(held) == INITIALIZERS[name]
    assert len({array.tobytes() for array in held.values()}) == len(held), "the same values twice"
    owned = {f"{node.name}.{tensor.name}" for node in graph.nodes for tensor in graph.tensors(node)}
    of_norms = {f"{node.name}.bias" for node in graph.nodes if node.layer.keyword == "CONV" and node.weights is None}
    assert {key.removesuffix(".transposed") for key in held} <= owned | of_norms
    assert failed(model, extent, module, tmp_path) == []


@pytest.mark.parametrize("name", SPECS)
def test_shared_weights_compute_what_layers_put_together_by_hand_do(name: str, tmp_path: Path) -> None:
    graph = graph_of(name)
    module = randomised(HandNetwork(graph))
    assert failed(emit(graph, weights_of(module)), graph, module, tmp_path) == []


def test_each_user_says_whose_weights_it_uses() -> None:
    model, _, _ = exported(graph_of("siamese"))
    told = {one.name: properties(one).get("weights_of") for one in model.graph.node}
    assert told["tower1.fc1"] is None
    assert (told["tower2.conv1"], told["tower2.fc1"], told["tower2.relu1"]) == ("tower1.conv1", "tower1.fc1", None)


def test_shared_weights_give_the_same_bytes_every_time() -> None:
    graph = graph_of("encoders")
    weights = weights_of(randomised(build(graph, seed=0)))
    one, other = (emit(graph, weights).SerializeToString(deterministic=True) for _ in range(2))
    assert one == other


def test_a_matrix_of_several_sequences_is_transposed_by_one_node() -> None:
    model, _, _ = exported(graph_of("encoders"))
    made = [one.output[0] for one in model.graph.node if one.output[0].endswith(".weight.transposed")]
    assert len(made) == len(set(made)) == 4
    assert operators(model).count("MatMul") == 3 * (4 + 2)


def test_tied_words_are_looked_up_and_transposed_and_stored_once() -> None:
    model, _, _ = exported(graph_of("words"))
    readers = [(one.op_type, one.name) for one in model.graph.node if "words.weight" in one.input]
    assert readers == [("Gather", "words"), ("Transpose", "words.weight.transposed")]
    kinds = {one.name: one.type.tensor_type.elem_type for one in model.graph.input}
    assert kinds == {"tokens": onnx.TensorProto.INT64, "segments": onnx.TensorProto.INT64}
    assert json.loads(properties(model)["archspec.inputs"])["segments"] == "[6] token ids below 2"
    assert [one.name for one in model.graph.initializer if "causal" in one.name] == ["/causal_mask_6"]


def test_a_part_keeps_the_owners_names_where_the_owner_is_not_in_it(tmp_path: Path) -> None:
    model, extent, module = exported(graph_of("siamese"), "tower2")
    assert [one.name for one in model.graph.input] == ["right"]
    assert set(weights_in(model)) == {f"tower1.{name}.{tensor}" for name in ("conv1", "conv2", "fc1") for tensor in WB}
    assert failed(model, extent, module, tmp_path) == []
    model, extent, module = exported(graph_of("levels"), "coarse")
    assert "fine.conv1.weight" in weights_in(model)
    assert failed(model, extent, module, tmp_path) == []


WB = ("weight", "bias")
TIED: dict[str, tuple[tuple[int, ...], str, str]] = {
    "vectors and sequences": ((6, 8), "FC 8", "GAP -> FC 8"),
    "without a bias": ((6, 8), "FC 8", "FC 8 nobias"),
    "maps and vectors": ((5, 5, 4), "AFFINE", "GAP -> AFFINE"),
    "a factor each": ((5, 5, 4), "SCALE 1", "GAP -> SCALE 1"),
    "other strides": ((6, 6, 4), "CONV 4 3x3 p1", "CONV 4 3x3 s2 p1 floor"),
    "up and down": ((6, 6, 4), "CONV 4 2x2 s2 nobias", "UPCONV 4 2x2 s2 nobias"),
    "a class token": ((6, 8), "CLS", "CLS -> CLS"),
    "offsets of a window": ((6, 6, 4), "MHSA 2 window=3 relpos", "MHSA 2 window=3 shift=1 relpos"),
    "norms of a sequence": ((6, 8), "BN", "BN"),
    "norms of a map": ((6, 6, 4), "LN", "LN"),
    "groups": ((6, 6, 4), "GN 2", "GN 4"),
}


def tied(sizes: tuple[int, ...], first: str, second: str) -> Graph:
    """Two layers that read the input, the last one with the weights of the first."""
    sketch = Sketch()
    sketch.input("input", *sizes)
    sketch.layer("owner", first)
    *before, last = second.split(" -> ")
    for number, text in enumerate(before):
        sketch.layer(f"l{number}", text, *(["input"] if number == 0 else []))
    sketch.layer("user", last, *([] if before else ["input"]), weights="owner")
    return sketch.graph("owner", "user")


@pytest.mark.parametrize("name", TIED)
def test_layers_that_use_a_weight_in_different_forms_share_its_initializer(name: str, tmp_path: Path) -> None:
    model, graph, module = exported(tied(*TIED[name]))
    held = [one.name for one in model.graph.initializer]
    shared = graph.nodes[-1].weights
    assert shared is not None and shared.tensors
    assert not {f"user.{tensor}" for tensor in shared.tensors} & {*held}
    assert not {"user/shift", "user/relative_position_bias"} & {*held}
    assert [key for key in held if key.startswith(("owner.", "owner/"))]
    assert failed(model, graph, module, tmp_path) == []


# ---- BN
def two_uses(*after: str, read: bool = False) -> Graph:
    """A convolution used twice, and what follows each use; `read` lets the second use leave the network too."""
    sketch = Sketch()
    sketch.input("input", 6, 6, 4)
    sketch.layer("a", "CONV 4 3x3 p1 nobias", "input")
    sketch.layer("a.bn", after[0], "a")
    sketch.layer("b", "CONV 4 3x3 p1 nobias", "input", weights="a")
    sketch.layer("b.bn", after[1], "b", weights="a.bn" if len(after) > 2 else None)
    sketch.layer("sum", "add", "a.bn", "b.bn")
    return sketch.graph("sum", *(["b"] if read else []))


FOLDED: dict[str, tuple[Graph, list[str], set[str]]] = {
    "one BN": (two_uses("BN", "BN", "shared"), ["Conv", "Conv", "Add"], {"a.weight", "a.bias"}),
    "two BNs": (
        two_uses("BN", "BN"),
        ["Conv", "BatchNormalization", "Conv", "BatchNormalization", "Add"],
        {"a.weight", *(f"{norm}.{name}" for norm in ("a.bn", "b.bn") for name in (*WB, "running_mean", "running_var"))},
    ),
    "a BN after one": (
        two_uses("BN", "RELU"),
        ["Conv", "BatchNormalization", "Conv", "Relu", "Add"],
        {"a.weight", *(f"a.bn.{name}" for name in (*WB, "running_mean", "running_var"))},
    ),
    "a use that is an output": (
        two_uses("BN", "BN", "shared", read=True),
        ["Conv", "BatchNormalization", "Conv", "BatchNormalization", "Add"],
        {"a.weight", *(f"a.bn.{name}" for name in (*WB, "running_mean", "running_var"))},
    ),
}


@pytest.mark.parametrize("name", FOLDED)
def test_a_bn_is_folded_into_shared_weights_only_if_it_follows_all_their_uses(name: str, tmp_path: Path) -> None:
    graph, expected, held = FOLDED[name]
    model, extent, module = exported(graph)
    assert operators(model) == expected
    assert set(weights_in(model)) == held
    assert failed(model, extent, module, tmp_path) == []


# ---- the proof
def of_another_owner(model: onnx.ModelProto) -> None:
    """The second call uses the weights of another layer of the same shape."""
    node = next(one for one in model.graph.node if one.name == "gate1.mlp2.fc1")
    assert node.input[1] == "gate1.mlp1.fc1.weight"
    node.input[1] = "gate2.mlp1.fc1.weight"


def folded_for_one(model: onnx.ModelProto) -> None:
    """The first call's layer has the BN folded in, the second one's not."""
    kernel = numpy_helper.from_array(2 * weights_in(model)["fine.conv1.weight"], "unshared")
    model.graph.initializer.append(kernel)
    node = next(one for one in model.graph.node if one.name == "coarse.conv1")
    node.input[1] = "unshared"


def swapped_owners(model: onnx.ModelProto) -> None:
    """The two gates have each other's bias of a width."""
    names = {"gate1.mlp1.fc2.bias": "gate1.s.bias", "gate1.s.bias": "gate1.mlp1.fc2.bias"}
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]


def not_transposed(model: onnx.ModelProto) -> None:
    made = next(one for one in model.graph.node if one.output[0] == "encoder1.mhsa1.proj.weight.transposed")
    made.op_type = "Identity"
    del made.attribute[:]


def untied(model: onnx.ModelProto) -> None:
    """The scores come from other vectors than the words have."""
    vectors = numpy_helper.from_array(weights_in(model)["words.weight"][::-1].copy(), "others")
    model.graph.initializer.append(vectors)
    next(one for one in model.graph.node if one.op_type == "Transpose" and "words" in one.name).input[0] = "others"


def ids_swapped(model: onnx.ModelProto) -> None:
    """Words are looked up by the segments, and the other way round."""
    for node in model.graph.node:
        if node.op_type == "Gather":
            node.input[1] = {"tokens": "segments", "segments": "tokens"}[node.input[1]]


FAULTS: dict[str, tuple[str, Callable[[onnx.ModelProto], None], str]] = {
    "an initializer of the wrong owner": ("gates", of_another_owner, "float64"),
    "initializers of two owners swapped": ("gates", swapped_owners, "float64"),
    "a fold that is not shared": ("levels", folded_for_one, "coarse: float64"),
    "scores that are not tied": ("words", untied, "float64"),
    "ids of the other input": ("words", ids_swapped, "onnxruntime"),
    "a matrix that is not transposed": ("encoders", not_transposed, "float64"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_what_is_shared_is_reported(name: str, tmp_path: Path) -> None:
    spec, fault, step = FAULTS[name]
    model, graph, module = exported(graph_of(spec))
    fault(model)
    assert failed(model, graph, module, tmp_path)[-1:] == [step]


def test_a_graph_without_its_sharing_is_not_what_the_file_computes(tmp_path: Path) -> None:
    """The file of a network with shared weights, against the same network without."""
    graph = graph_of("encoders")
    model, _, _ = exported(graph)
    apart = Graph(graph.title, tuple(replace(node, weights=None) for node in graph.nodes), graph.outputs)
    assert "float64" in failed(model, apart, randomised(build(apart, seed=0), 1), tmp_path)
