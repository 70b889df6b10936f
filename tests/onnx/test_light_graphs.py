"""Networks that others wrote, as graphs in the onnx package, have the weights that the specs have.

Their pads and pools differ here and there (Caffe2's AlexNet is on 224 pixels), so the weights are what is compared:
shape, stride and groups of each convolution, and the number of all parameters.
"""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import onnx
import pytest
from onnx import numpy_helper

import archspec
from archspec.graph.ir import Graph

FOLDER = Path(onnx.__file__).parent / "backend/test/data/light"
SPECS = {
    "bvlc_alexnet": "alexnet_2gpu",
    "zfnet512": "zfnet_onnx512",
    "vgg19": "vgg19",
    "inception_v1": "googlenet",
    "resnet50": "resnet50",
    "densenet121": "densenet121",
    "squeezenet": "squeezenet",
    "shufflenet": "shufflenet_v1_onnx",
}


class Weight(NamedTuple):
    """The weight of a convolution or matrix; a matrix is a convolution of 1x1."""

    shape: tuple[int, ...]
    stride: tuple[int, ...] = (1, 1)
    groups: int = 1


def matrix(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a matrix, without sides of 1."""
    sides = tuple(side for side in shape if side > 1)
    return sides if len(sides) == 2 else shape


class LightGraph:
    """A graph of the onnx package. Its large weights are made by ConstantOfShape."""

    def __init__(self, name: str) -> None:
        graph = onnx.load(FOLDER / f"light_{name}.onnx").graph
        values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.nodes = graph.node
        self.shapes: dict[str, tuple[int, ...]] = {key: value.shape for key, value in values.items()}
        for node in graph.node:
            if node.op_type == "ConstantOfShape":
                self.shapes[node.output[0]] = tuple(values[node.input[0]].tolist())
            elif node.op_type in ("Reshape", "Unsqueeze") and node.input[0] in self.shapes:
                self.shapes[node.output[0]] = self.shapes[node.input[0]]

    def weights(self) -> Iterator[Weight]:
        for node in self.nodes:
            given: dict[str, Any] = {field.name: onnx.helper.get_attribute_value(field) for field in node.attribute}
            if node.op_type == "Conv":
                shape = matrix(self.shapes[node.input[1]])
                yield Weight(shape, tuple(given.get("strides", (1, 1))), given.get("group", 1))
            elif node.op_type == "Gemm":
                yield Weight(matrix(self.shapes[node.input[1]]))

    def params(self) -> int:
        """Weights and biases, and two values a channel for each normalisation; it makes a bias before it needless."""
        normalised = {node.input[0] for node in self.nodes if node.op_type == "BatchNormalization"}
        total = 0
        for node in self.nodes:
            if node.op_type in ("Conv", "Gemm"):
                tensors = node.input[1:2] if node.output[0] in normalised else node.input[1:]
                total += sum(math.prod(self.shapes[name]) for name in tensors)
            elif node.op_type == "BatchNormalization":
                total += 2 * math.prod(self.shapes[node.input[1]])
        return total


def weights_of(graph: Graph) -> Iterator[Weight]:
    for node in graph.trunk:
        if node.layer.is_weight_layer:
            layer: Any = node.layer
            shape = layer.tensors(graph.inputs(node))[0].shape
            groups = graph.inputs(node)[0].channels // shape[1] if layer.keyword != "FC" else 1
            yield Weight(matrix(shape), getattr(layer, "stride", (1, 1)), groups)


@pytest.mark.parametrize(("light", "spec"), SPECS.items())
def test_a_spec_has_the_weights_of_a_graph_that_others_wrote(light: str, spec: str) -> None:
    theirs, ours = LightGraph(light), archspec.load(spec)
    assert Counter(weights_of(ours.graph)) == Counter(theirs.weights())
    assert ours.params == theirs.params()
