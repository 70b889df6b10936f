"""PAD before POOL: onnxruntime fuses the zeros into the pool, which pads with minus infinity (ARCHITECTURE.md)."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import archspec
from archspec.compiler import build
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.proof import prove
from support.onnx_models import Floats, randomised, weights_of

MAP: list[str | int | None] = ["batch", 2, 4, 4]
BELOW_ZERO = -1 - np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)


def padded(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    """A pixel of zeros around the input, then the nodes: from `padded` to `output`."""
    pad = helper.make_node("Pad", ["input", "pads"], ["padded"])
    ends = [helper.make_tensor_value_info("input", TensorProto.FLOAT, MAP)]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)]
    zeros = [numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "pads")]
    graph = helper.make_graph([pad, *nodes], "padded", ends, outputs, zeros)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def outputs(model: onnx.ModelProto, optimised: bool) -> Floats:
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_BASIC if optimised else levels.ORT_DISABLE_ALL
    opened = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (output,) = opened.run(None, {"input": BELOW_ZERO})
    result: Floats = output
    return result


def pool(operator: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, ["padded"], ["output"], kernel_shape=[3, 3], **attributes)


def test_onnxruntime_still_fuses_zeros_into_a_max_pool() -> None:
    """If this fails, onnxruntime is mended: PAD may be a plain Pad again where that version is required."""
    model = padded(pool("MaxPool"))
    right, fused = outputs(model, optimised=False), outputs(model, optimised=True)
    assert (right[:, :, 0] == 0).all()
    assert (fused < 0).all()


@pytest.mark.parametrize("counted", [0, 1])
def test_onnxruntime_is_right_to_fuse_zeros_into_an_average_pool(counted: int) -> None:
    model = padded(pool("AveragePool", count_include_pad=counted))
    np.testing.assert_allclose(outputs(model, optimised=True), outputs(model, optimised=False), rtol=1e-6)


GUARDED = ["Unsqueeze", "Pad", "Squeeze"]
PLAIN = ["Pad"]
CHAINS = {
    "PAD p1 -> MAXPOOL 3x3 s1": [*GUARDED, "MaxPool"],
    "PAD p1 -> MAXPOOL 3x3 s2 p1": [*GUARDED, "MaxPool"],
    "PAD p1 -> DROPOUT 0.5 -> POOL 3x3 s1": [*GUARDED, "MaxPool"],
    "PAD p1 -> SLICE 0 4 -> POOL 3x3 s1": [*GUARDED, "Slice", "MaxPool"],
    "PAD p1 -> PAD p2 -> POOL 3x3 s1": [*GUARDED, *GUARDED, "MaxPool"],
    "PAD p1:0 -> IN -> POOL 3x3 s1": [*GUARDED, "InstanceNormalization", "MaxPool"],
    "PAD p1 -> CONV 3 3x3": [*PLAIN, "Conv"],
    "PAD p1 -> CONV 3 3x3 p1 -> BN": [*PLAIN, "Conv"],
    "PAD p1 -> AVGPOOL 3x3 s1": [*PLAIN, "AveragePool"],
    "PAD p1 -> AVGPOOL 3x3 s2 p1 ceil": [*PLAIN, "AveragePool"],
    "PAD p1 -> AVGPOOL 3x3 s2 p1 count_pad floor": [*PLAIN, "AveragePool"],
    "PAD p1 -> UPCONV 3 2x2 s2": [*GUARDED, "ConvTranspose"],
    "PAD p1 -> LRN": [*GUARDED, "LRN"],
    "PAD p1": GUARDED,
    "p: PAD p1\nadd\n    | POOL 3x3 s1 p1\n    | CONV 4 3x3 p1\n": [*GUARDED, "MaxPool", "Conv", "Add"],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_zeros_are_plain_only_before_sums(chain: str, tmp_path: Path) -> None:
    net = archspec.loads(f"[6x7x4] INPUT\n{chain}\n")
    module = randomised(build(net, seed=0))
    model = emit(net.graph, weights_of(module))
    assert [node.op_type for node in model.graph.node] == CHAINS[chain]
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    proof = prove(tmp_path / "net.onnx", net.graph, module)
    assert proof.passed, proof
