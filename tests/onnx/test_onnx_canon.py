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

import archspec
from archspec.compiler.lowering.initialise import Unfilled, settle
from archspec.compiler.onnx import emit
from archspec.compiler.onnx.proof import ROUNDINGS, TIMES_TORCH, prove
from archspec.graph.extent import upto
from archspec.graph.ir import Graph
from support.networks import small_input
from support.onnx_models import HandNetwork, images, lively, session, weights_of

# one of each family but ShuffleNet and Swin, which torch's exporter has no operators for
FAMILIES = (
    "lenet5",
    "alexnet_2gpu",
    "vgg11",
    "nin",
    "squeezenet",
    "googlenet",
    "inception_v4",
    "resnet18",
    "resnet50",
    "resnet20",
    "preresnet50",
    "resnext50",
    "wrn28_10",
    "se_resnet50",
    "densenet121",
    "mobilenet_v2",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_b32",
    "mixer_s16",
    "resmlp12",
    "gmlp_s16",
    "unet",
    "nasnet_a_large",
)
LONG = {
    "convnext_tiny",
    "densenet121",
    "gmlp_s16",
    "inception_v4",
    "mixer_s16",
    "nasnet_a_large",
    "preresnet50",
    "resnet18",
    "resnet50",
    "resnext50",
    "se_resnet50",
    "unet",
    "vgg11",
    "vit_b32",
    "wrn28_10",
}
LECTURE = (
    "lenet5",
    "alexnet",
    "alexnet_2gpu",
    "zfnet",
    "vgg11",
    "vgg13",
    "vgg16",
    "googlenet",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "preresnet50",
    "se_resnet50",
    "squeezenet",
    "mobilenet_v1",
    "mobilenet_v2",
)
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def torchs_own(module: torch.nn.Module, image: torch.Tensor) -> onnx.ModelProto:
    """By torch's exporter; the one that traces needs no further package."""
    file = io.BytesIO()
    axes = {name: {0: "batch"} for name in ("input", "output")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is a newer one, and that shapes are constants
        torch.onnx.export(
            module,
            (image,),
            file,  # type: ignore[arg-type]  # torch's stubs speak of the other exporter
            dynamo=False,
            opset_version=18,
            dynamic_axes=axes,
            input_names=["input"],
            output_names=["output"],
        )
    return onnx.load_from_string(file.getvalue())


def products(model: onnx.ModelProto) -> int:
    """How many convolutions and matrix products it has."""
    counts = Counter(node.op_type for node in model.graph.node)
    return sum(counts[operator] for operator in PRODUCTS)


def stands_beside_torchs_own(graph: Graph, folder: Path) -> None:
    """Emit, prove, and compare with what torch's exporter makes of the same network."""
    with Unfilled():
        module = HandNetwork(graph)
    lively(module)
    # random statistics let SE-ResNet-50 grow until float32 is too coarse for it, which a proof refuses
    settle(module, graph, seed=0)
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


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in FAMILIES])
def test_a_network_of_each_family_is_proven_beside_torchs_own_exporter(name: str, tmp_path: Path) -> None:
    graph = archspec.load(name, input=small_input(name)).graph
    stands_beside_torchs_own(upto(graph, graph.output), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", LECTURE)
def test_a_network_of_the_lecture_at_its_own_size_is_proven_beside_torchs_own_exporter(
    name: str, tmp_path: Path
) -> None:
    graph = archspec.load(name).graph
    stands_beside_torchs_own(upto(graph, graph.output), tmp_path)


def test_local_response_normalisation_is_one_node() -> None:
    graph = archspec.load("alexnet", input="67x67x3", classes=10).graph
    module = lively(HandNetwork(graph))
    counts = Counter(node.op_type for node in emit(graph, weights_of(module)).graph.node)
    assert counts["LRN"] == 2
