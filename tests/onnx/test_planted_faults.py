"""Faults as exporters really have them, planted one by one into right models: the proof reports each."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper

import archspec
from archspec.compiler import build
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.checks.steps import Proof
from archspec.compiler.onnx.proof import prove
from archspec.graph.ir import Graph
from support.onnx_models import randomised, weights_of

Model = onnx.ModelProto
Fault = Callable[[Model], None]

CONVOLUTION = "[9x9x6] INPUT\nCONV 8 3x3 s2x1 p0x1 d1x2 g2 -> RELU\nCONV 6 3x3 p1 -> BN\nGAP -> FC 5\n"
ATTENTION = "[7x8] INPUT\nadd\n    | LN eps=0.1 -> MHSA 2\n    | x\nadd\n    | FC 16 -> GELU -> FC 8\n    | x\nTAKE 0\n"
POOLS = "[9x9x4] INPUT\nAVGPOOL 3x3 s2 p1 -> POOL 3x3 s1 p1\nconcat\n    | RELU\n    | TANH\nFC 4 -> SOFTMAX\n"
NORMS = "[6x6x8] INPUT\nGN 2 eps=0.1 -> LN -> HSWISH -> IN affine -> BN eps=0.1 -> NORM n=3 alpha=1 -> FC 6\n"
SCALES = (
    "[4x4x3] INPUT\nUPSAMPLE 2 bilinear -> PAD p1:0 -> UPCONV 4 3x3 s2 p1:0 -> SHUFFLE 2 -> AFFINE -> SHIFT -> FC 7\n"
)
GATE = "[6x6x4] INPUT\nmul\n    | CONV 4 1x1\n    | GAP -> FC 4 -> SIGMOID\nSPACE2DEPTH 2 -> SLICE 2 10 -> FC 5\n"


def node(model: Model, operator: str, which: int = 0) -> onnx.NodeProto:
    found: onnx.NodeProto = [one for one in model.graph.node if one.op_type == operator][which]
    return found


def constant(model: Model, name: str) -> NDArray[Any]:
    return numpy_helper.to_array(next(one for one in model.graph.initializer if one.name == name)).copy()


def put(model: Model, name: str, value: NDArray[Any]) -> None:
    tensor = next(one for one in model.graph.initializer if one.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.array(value, order="C"), name))


def attribute(operator: str, name: str, value: Any, which: int = 0) -> Fault:
    def plant(model: Model) -> None:
        damaged = node(model, operator, which)
        kept = [one for one in damaged.attribute if one.name != name]
        del damaged.attribute[:]
        damaged.attribute.extend([*kept, helper.make_attribute(name, value)])

    return plant


def operator(old: str, new: str) -> Fault:
    def plant(model: Model) -> None:
        node(model, old).op_type = new

    return plant


def changed(name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Fault:
    return lambda model: put(model, name, change(constant(model, name)).astype(constant(model, name).dtype))


def one_weight(array: NDArray[Any]) -> NDArray[Any]:
    array.flat[np.abs(array).argmax()] *= 1.01
    return array


def two_swapped(array: NDArray[Any]) -> NDArray[Any]:
    return array[[1, 0, *range(2, len(array))]]


def halves(model: Model) -> None:
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            put(model, tensor.name, numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32))


def without_bias(model: Model) -> None:
    node(model, "Gemm").input.pop()


def bypassed(model: Model, operator: str) -> None:
    """Readers of the node read its input instead."""
    skipped = node(model, operator)
    for one in model.graph.node:
        one.input[:] = [skipped.input[0] if name == skipped.output[0] else name for name in one.input]


def without_residual(model: Model) -> None:
    add = node(model, "Add", -1)
    add.op_type = "Identity"
    del add.input[1:]


def reversed_inputs(model: Model, operator: str, which: int = 0) -> None:
    reversed_ = node(model, operator, which)
    reversed_.input[:] = list(reversed_.input)[::-1]


def keys_as_values(model: Model) -> None:
    split = node(model, "Split")
    split.output[:] = [split.output[0], split.output[2], split.output[1]]


def off_by_one(model: Model) -> None:
    for end in ("slice1/begin", "slice1/end"):
        put(model, end, constant(model, end) - 1)


FAULTS: dict[str, tuple[str, Fault]] = {
    "pads along the other axis": (CONVOLUTION, attribute("Conv", "pads", [1, 0, 1, 0])),
    "pads at one end": (CONVOLUTION, attribute("Conv", "pads", [2, 2, 0, 0], 1)),
    "strides swapped": (CONVOLUTION, attribute("Conv", "strides", [1, 2])),
    "dilations swapped": (CONVOLUTION, attribute("Conv", "dilations", [2, 1])),
    "groups in another order": (CONVOLUTION, changed("conv1.weight", lambda w: np.roll(w, 4, axis=0))),
    "a kernel transposed": (CONVOLUTION, changed("conv2.weight", lambda w: w.swapaxes(2, 3))),
    "a kernel turned by 180 degrees": (CONVOLUTION, changed("conv2.weight", lambda w: w[..., ::-1, ::-1])),
    "one weight off by 1%": (CONVOLUTION, changed("conv2.weight", one_weight)),
    "two filters swapped": (CONVOLUTION, changed("conv1.weight", two_swapped)),
    "all weights rounded to float16": (CONVOLUTION, halves),
    "no activation": (CONVOLUTION, partial(bypassed, operator="Relu")),
    "a leaky activation": (CONVOLUTION, operator("Relu", "LeakyRelu")),
    "no bias": (CONVOLUTION, without_bias),
    "a bias of BN left out": (CONVOLUTION, changed("conv2.bias", lambda b: 0 * b)),
    "the tanh variant of GELU": (ATTENTION, attribute("Gelu", "approximate", "tanh")),
    "no scale of attention": (ATTENTION, changed("mhsa1/scale", lambda s: 1 + 0 * s)),
    "attention's scale by all channels": (ATTENTION, changed("mhsa1/scale", lambda s: s / np.sqrt(2))),
    "keys and values swapped": (ATTENTION, keys_as_values),
    "attention's softmax over the queries": (ATTENTION, attribute("Softmax", "axis", -2)),
    "torch's epsilon of LN": (ATTENTION, attribute("LayerNormalization", "epsilon", 1e-5)),
    "LN over all values": (ATTENTION, attribute("LayerNormalization", "axis", -2)),
    "no residual": (ATTENTION, without_residual),
    "another token": (ATTENTION, changed("take1/place", lambda place: place + 1)),
    "a mean that counts padding": (POOLS, attribute("AveragePool", "count_include_pad", 1)),
    "branches in another order": (POOLS, partial(reversed_inputs, operator="Concat")),
    "a mean instead of a maximum": (POOLS, operator("MaxPool", "AveragePool")),
    "a map flattened in another order": (
        POOLS,
        changed("fc1.weight", lambda w: w.reshape(4, 8, 25).swapaxes(1, 2).reshape(4, -1)),
    ),
    "log softmax": (POOLS, operator("Softmax", "LogSoftmax")),
    "another epsilon of GN": (NORMS, attribute("InstanceNormalization", "epsilon", 1e-5)),
    "a hard sigmoid with ONNX's slope": (NORMS, operator("HardSwish", "HardSigmoid")),
    "BN's mean off by 1%": (NORMS, changed("bn1.running_mean", lambda m: 1.01 * m)),
    "BN's epsilon left out": (NORMS, attribute("BatchNormalization", "epsilon", 1e-12)),
    "alpha not divided by n": (NORMS, attribute("LRN", "alpha", 3.0)),
    "another window of LRN": (NORMS, attribute("LRN", "size", 5)),
    "corners aligned": (SCALES, attribute("Resize", "coordinate_transformation_mode", "align_corners")),
    "nearest instead of bilinear": (SCALES, attribute("Resize", "mode", "nearest")),
    "zeros after instead of before": (SCALES, changed("pad1/pads", lambda p: p[[0, 1, 2, 8, 9, 5, 6, 7, 3, 4]])),
    "cropped a pixel further": (SCALES, attribute("ConvTranspose", "pads", [0, 0, 1, 1])),
    "a shuffle of the other groups": (SCALES, attribute("Transpose", "perm", [0, 1, 2, 3, 4])),
    "scale before shift confused": (SCALES, changed("affine1.bias", lambda b: -b)),
    "a shift over the edge": (SCALES, changed("shift1/down", lambda place: (place - 1) % len(place))),
    "no gate": (GATE, partial(bypassed, operator="Sigmoid")),
    "depth to space in another order": (
        GATE,
        changed("fc2.weight", lambda w: w[:, np.arange(72).reshape(8, 9)[::-1].ravel()]),
    ),
    "off by one channel": (GATE, off_by_one),
}

BY_SHAPE = {"pads along the other axis", "strides swapped", "dilations swapped"}  # the checker notices


@cache
def right(spec: str) -> tuple[Graph, torch.nn.Module, bytes]:
    graph = archspec.loads(spec).graph
    module = randomised(build(graph, seed=0))
    return graph, module, emit(graph, weights_of(module)).SerializeToString()


def proof_of(spec: str, fault: Fault, folder: Path) -> Proof:
    graph, module, data = right(spec)
    model = onnx.load_from_string(data)
    fault(model)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    proof = prove(folder / "net.onnx", graph, module)
    module.float()
    return proof


@pytest.mark.parametrize("spec", [CONVOLUTION, ATTENTION, POOLS, NORMS, SCALES, GATE])
def test_the_right_model_is_proven(spec: str, tmp_path: Path) -> None:
    proof = proof_of(spec, lambda model: None, tmp_path)
    assert proof.passed, proof


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_reported(name: str, tmp_path: Path) -> None:
    spec, fault = FAULTS[name]
    proof = proof_of(spec, fault, tmp_path)
    failed = [one.name for one in proof.checks if not one.passed]
    assert failed[-1:] == ["checker" if name in BY_SHAPE else "float64"], proof


def test_the_table_has_the_faults_that_were_promised() -> None:
    assert len(FAULTS.keys() - BY_SHAPE) >= 30
