"""The canon as ONNX: each network is proven against torch, and torch's own exporter stands beside it.

The torch network is put together by hand, layer by layer, so that no lowering takes part. Where a network allows it, a
small input keeps the run short; `make thorough` runs every built-in spec at its own size.
"""

import io
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx_models import HandNetwork, images, lively, session, weights_of

import archspec
from archspec.compiler.about import About
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.export import export
from archspec.compiler.onnx.extent import upto
from archspec.compiler.onnx.model import MOST
from archspec.compiler.onnx.proof import ROUNDINGS, TIMES_TORCH, prove
from archspec.ir import Graph
from archspec.library import built_in, folder, variants

# one of each family, on a small input where its layers fit one
FAMILIES = {
    "lenet5": None,
    "alexnet_2gpu": "67x67x3",
    "vgg11": "32x32x3",
    "googlenet": "80x80x3",
    "resnet18": "64x64x3",
    "resnet50": "64x64x3",
}
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def every_network() -> list[str]:
    """All built-in specs, and all their variants."""
    names = []
    for name in built_in():
        found = variants((folder() / f"{name}.arch").read_text(encoding="utf-8"))
        names += [f"{name}_{variant}" for variant in found] or [name]
    return names


def torchs_own(module: torch.nn.Module, image: torch.Tensor) -> onnx.ModelProto:
    """By torch's exporter; the one that traces needs no further package."""
    file = io.BytesIO()
    axes = {name: {0: "batch"} for name in ("input", "output")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is a newer one, and that shapes are constants
        torch.onnx.export(
            module, (image,), file, dynamo=False, opset_version=18, dynamic_axes=axes,
            input_names=["input"], output_names=["output"],
        )  # fmt: skip
    return onnx.load_from_string(file.getvalue())


def products(model: onnx.ModelProto) -> int:
    """How many convolutions and matrix products it has."""
    counts = Counter(node.op_type for node in model.graph.node)
    return sum(counts[operator] for operator in PRODUCTS)


def stands_beside_torchs_own(graph: Graph, folder: Path) -> None:
    """Emit, prove, and compare with what torch's exporter makes of the same network."""
    module = lively(HandNetwork(graph))
    model = emit(graph, weights_of(module))
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    (image,) = images((graph.nodes[0].volume,), 1)
    theirs = torchs_own(module, image)
    assert products(model) == products(theirs)
    outputs = [session(one).run(None, {"input": image.numpy()})[0] for one in (model, theirs)]
    with torch.no_grad():
        single = module(image).numpy()
        proof = prove(path, graph, module)
        exact = module(image.double()).numpy()
    assert proof.passed, proof
    bound = TIMES_TORCH * np.abs(single - exact).max() + ROUNDINGS * np.abs(exact).max()
    assert np.abs(outputs[0] - outputs[1]).max() <= 2 * bound


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_of_each_family_is_proven_beside_torchs_own_exporter(name: str, tmp_path: Path) -> None:
    graph = archspec.load(name, input=FAMILIES[name]).graph
    stands_beside_torchs_own(upto(graph, graph.output), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", every_network())
def test_every_network_at_its_own_size_is_proven_beside_torchs_own_exporter(name: str, tmp_path: Path) -> None:
    network = archspec.load(name)
    graph = upto(network.graph, network.graph.output)
    if 4 * network.params < MOST:
        stands_beside_torchs_own(graph, tmp_path)
    else:  # more than one file holds, which torch's exporter cannot write either
        about = About(network.title, "scores")
        assert export(graph, lively(HandNetwork(graph)), tmp_path / "net.onnx", about, external=True).passed


def test_local_response_normalisation_is_one_node() -> None:
    graph = archspec.load("alexnet", input="67x67x3", classes=10).graph
    module = lively(HandNetwork(graph))
    counts = Counter(node.op_type for node in emit(graph, weights_of(module)).graph.node)
    assert counts["LRN"] == 2
