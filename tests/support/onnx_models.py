"""Layers and networks as ONNX beside torch, for the tests of the back end: graphs, weights, runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph, Node, Output
from archspec.graph.volume import Volume
from archspec.layers.base import Layer
from archspec.layers.input import Input
from support.layer_modules import Inputs, torch_module

Floats = NDArray[np.float32]
SPAN = Span(Source("test.arch", "[1x1x1] INPUT\n"), 0, 1)


SMALL = """
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


def single(layer: Layer, inputs: Inputs) -> Graph:
    """A network of inputs and one layer, which is called `layer`."""
    entering = [
        Node(i, f"input{i}", Input(tokens=layer.reads_tokens), (), volume, None, SPAN)
        for i, volume in enumerate(inputs)
    ]
    indices = tuple(range(len(inputs)))
    node = Node(len(inputs), "layer", layer, indices, layer.output(inputs), None, SPAN)
    return Graph("one layer", (*entering, node), (Output(node.name, node.index),))


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with weights that no initialisation would give, running statistics too."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            uniform = torch.rand(tensor.shape, generator=generator)
            tensor.copy_(uniform + 0.5 if name.endswith("running_var") else 2 * uniform - 1)
    return module.eval()


def weights_of(module: nn.Module, prefix: str = "") -> dict[str, Floats]:
    return {f"{prefix}{name}": tensor.numpy() for name, tensor in module.state_dict().items()}


def images(volumes: tuple[Volume, ...], batch: int, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn((batch, *volume.laid_out), generator=generator) for volume in volumes]


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model: onnx.ModelProto, tensors: list[torch.Tensor]) -> Floats:
    opened = session(model)
    names = [value.name for value in opened.get_inputs()]
    (output,) = opened.run(None, {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)})
    result: Floats = output
    return result


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def properties(proto: onnx.NodeProto | onnx.ModelProto) -> dict[str, str]:
    return {one.key: one.value for one in proto.metadata_props}


def layer_in_torch(layer: Layer, inputs: Inputs) -> nn.Module:
    return randomised(torch_module(layer, inputs))


class HandNetwork(nn.Module):
    """A network run node by node, each layer the hand-written module of the layer contract: no lowering.

    Its state_dict has the spec's names; shared parameters are in it under the names of all their users.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph
        for node in graph.nodes:
            if not isinstance(node.layer, Input):
                *path, last = node.name.split(".")
                parent: nn.Module = self
                for part in path:
                    if part not in parent._modules:
                        parent.add_module(part, nn.Module())
                    parent = parent.get_submodule(part)
                parent.add_module(last, torch_module(node.layer, graph.inputs(node)))
        for node in graph.nodes:
            if node.weights is not None:
                owner = self.get_submodule(node.weights.owner)
                _share(self.get_submodule(node.name), owner, node.weights.tensors)

    def forward(self, *images: Tensor) -> Any:
        values: list[Tensor] = []
        entering = iter(images)
        for node in self._graph.nodes:
            if isinstance(node.layer, Input):
                values.append(next(entering))
            else:
                inputs = [values[index].clone() for index in node.inputs]  # some layers write over theirs
                values.append(self.get_submodule(node.name)(*inputs))
        results = tuple(values[output.node] for output in self._graph.outputs)
        return results if len(results) > 1 else results[0]


def _share(user: nn.Module, owner: nn.Module, tensors: Iterable[str]) -> None:
    for tensor in tensors:
        path, _, name = tensor.rpartition(".")
        setattr(user.get_submodule(path), name, owner.get_parameter(tensor))
    for name, buffer in owner.named_buffers():
        setattr(user, name, buffer)


def lively(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with weights that keep a deep network's activations alive: He's variance, BNs that do something."""
    torch.manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
        elif tensor.dim() > 1:
            nn.init.kaiming_normal_(tensor)
        elif tensor.is_floating_point():
            tensor.add_(0.1 * torch.randn(tensor.shape))
    return module.eval()
