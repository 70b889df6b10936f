"""The proof can fail: each of its steps is given a damaged model that only it should notice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import archspec
from archspec.compiler import build
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.checks.steps import Proof
from archspec.compiler.onnx.proof import BATCHES, MOST, ROUNDINGS, TIMES_TORCH, UNIT, compare, prove
from support.onnx_models import HandNetwork, randomised, weights_of

SPEC = """
[12x12x3] INPUT
[6x6x8] CONV 8 3x3 s2 p1 -> BN -> RELU
[8] GAP
[8] FC 8
[5] FC 5
"""
GRAPH = archspec.loads(SPEC).graph
Damage = Callable[[onnx.ModelProto], None]


def network() -> HandNetwork:
    net = HandNetwork(GRAPH)
    randomised(net)
    return net


def proof_of(model: onnx.ModelProto, folder: Path) -> Proof:
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return prove(path, GRAPH, network())


def failed(proof: Proof) -> list[str]:
    return [check.name for check in proof.checks if not check.passed]


def node(model: onnx.ModelProto, operator: str) -> onnx.NodeProto:
    found: onnx.NodeProto = next(one for one in model.graph.node if one.op_type == operator)
    return found


def unknown_attribute(model: onnx.ModelProto) -> None:
    node(model, "Conv").attribute.append(onnx.helper.make_attribute("colour", 1))


def unknown_operator(model: onnx.ModelProto) -> None:
    node(model, "Relu").op_type = "Rilu"


def dangling_input(model: onnx.ModelProto) -> None:
    node(model, "Relu").input[0] = "nobody"


def another_size(model: onnx.ModelProto) -> None:
    """The stride is lost: GAP makes the same vector's shape of the larger map, so only the map tells."""
    strides = next(one for one in node(model, "Conv").attribute if one.name == "strides")
    strides.ints[:] = [1, 1]
    del model.graph.value_info[:]


def a_fixed_batch(model: onnx.ModelProto) -> None:
    """Flattened to [1, 8] whatever the batch, which is right for one image."""
    flatten = node(model, "Flatten")
    flatten.op_type = "Reshape"
    del flatten.attribute[:]
    flatten.input.append("shape")
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 8]), "shape"))
    del model.graph.value_info[:]


def a_changed_weight(model: onnx.ModelProto) -> None:
    tensor = next(one for one in model.graph.initializer if one.name == "fc2.weight")
    tensor.raw_data = (numpy_helper.to_array(tensor) * np.float32(1.0001)).tobytes()


def no_activation(model: onnx.ModelProto) -> None:
    node(model, "Relu").op_type = "Identity"


DAMAGES: list[tuple[Damage, list[str]]] = [
    (unknown_attribute, ["checker"]),
    (unknown_operator, ["checker"]),
    (dangling_input, ["checker"]),
    (another_size, ["shapes", "batch 1", "batch 3", "float64"]),
    (a_fixed_batch, ["shapes", "onnxruntime"]),
    (a_changed_weight, ["batch 1", "batch 3", "float64"]),
    (no_activation, ["batch 1", "batch 3", "float64"]),
]


def test_a_right_model_passes_every_step(tmp_path: Path) -> None:
    proof = proof_of(emit(GRAPH, weights_of(network())), tmp_path)
    assert proof.passed
    assert [check.name for check in proof.checks] == ["checker", "shapes", "batch 1", "batch 3", "float64"]
    assert str(proof).count("ok  ") == 5
    assert "6 inferred shapes" in str(proof)


@pytest.mark.parametrize(("damage", "steps"), DAMAGES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_damaged_model_fails_where_it_should(damage: Damage, steps: list[str], tmp_path: Path) -> None:
    model = emit(GRAPH, weights_of(network()))
    damage(model)
    proof = proof_of(model, tmp_path)
    assert failed(proof) == steps
    assert not proof.passed
    assert "FAILED" in str(proof)
    assert proof.to_dict()["passed"] is False


# ---- the rule for numbers, on numbers
EXACT = np.array([[4.0, -2.0], [1.0, 0.0], [0.5, 3.0]])
SINGLE = EXACT + 1e-6
SUMMED = 5.0
ALLOWED = TIMES_TORCH * (1e-6 + UNIT * SUMMED) + ROUNDINGS * 4.0


def outcome(error: float, own: float = 1e-6, exact: np.ndarray = EXACT, summed: float = SUMMED) -> list[str]:
    """The steps that fail where onnxruntime is `error` off on one output of the last image, and torch `own`."""
    found = {batch: exact[:batch] + 0.0 for batch in BATCHES}
    found[3][2, 0] += error
    single = {batch: exact[:batch] + own for batch in BATCHES}
    return [check.name for check in compare(found, single, exact, summed) if not check.passed]


def test_an_error_within_the_bound_passes_and_one_beyond_it_fails() -> None:
    assert outcome(0.99 * ALLOWED) == []
    assert outcome(1.01 * ALLOWED) == ["float64"]


def test_a_difference_in_the_third_image_is_seen_only_at_batch_3() -> None:
    assert outcome(10 * ALLOWED) == ["batch 3", "float64"]


def test_a_network_for_which_float32_is_too_coarse_proves_nothing() -> None:
    assert outcome(2 * MOST * SUMMED, own=1.0) == ["batch 1", "batch 3", "float64"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_fails(value: float) -> None:
    with np.errstate(invalid="ignore"):
        assert "float64" in outcome(value)


def test_outputs_that_cancel_are_held_against_what_was_summed() -> None:
    assert outcome(1e-7, own=1e-8, exact=1e-17 * EXACT, summed=1.0) == []
    assert outcome(1e-6, own=1e-8, exact=1e-17 * EXACT, summed=1.0) == ["batch 3", "float64"]
    assert outcome(1e-7, own=1e-8, exact=1e-17 * EXACT, summed=1e-3) == ["batch 3", "float64"]


def test_an_unknown_magnitude_fails() -> None:
    assert outcome(0.0, summed=np.nan) == ["batch 1", "batch 3", "float64"]


def test_another_shape_fails() -> None:
    found = {batch: EXACT[:batch, :1] for batch in BATCHES}
    single = {batch: EXACT[:batch] for batch in BATCHES}
    assert not any(check.passed for check in compare(found, single, EXACT, SUMMED))


def test_outputs_that_are_all_zero_pass() -> None:
    zeros = {batch: torch.zeros(batch, 2).numpy() for batch in BATCHES}
    assert all(check.passed for check in compare(zeros, zeros, np.zeros((3, 2)), 0.0))


# ---- networks whose outputs cancel, or that sum up many values
CANCELLING = (
    "[6x6x4] INPUT\nIN -> GAP\n",
    "[6x6x4] INPUT\nIN -> GAP -> FC 3 nobias\n",
    "[6x6x4] INPUT\nCONV 4 3x3 p1 -> IN -> AVGPOOL 6x6 s1\n",
    "[6x8] INPUT\nLN -> TRANSPOSE -> GAP -> FC 3\n",
    "[6x6x4] INPUT\nCONV 4 3x3\nadd\n    | x\n    | SCALE (-1) fixed\n",
    "[6x6x4] INPUT\nCONV 4 3x3\nadd\n    | x\n    | SCALE (-1) fixed\nGAP -> FC 3 nobias\n",
    "[6x6x4] INPUT\nSCALE 0 fixed -> BN -> IN -> GAP\n",
    "[300x300x2] INPUT\nRELU -> GAP -> FC 3\n",
    "[300x300x2] INPUT\nIN -> RELU -> GN 1 -> GAP\n",
    "[4x6x3] INPUT\nHSIGMOID -> SCALE 0.02 fixed -> HSIGMOID -> UPSAMPLE 8 -> IN -> GAP -> FC 5\n",  # hardly varies
)


@pytest.mark.parametrize("text", CANCELLING)
def test_a_right_network_is_proven_whatever_it_sums_up(text: str, tmp_path: Path) -> None:
    graph = archspec.loads(text).graph
    module = randomised(build(graph, seed=0))
    (tmp_path / "net.onnx").write_bytes(emit(graph, weights_of(module)).SerializeToString())
    proof = prove(tmp_path / "net.onnx", graph, module)
    assert proof.passed, proof
