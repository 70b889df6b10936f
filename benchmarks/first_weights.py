"""First weights of every family: the deviation of each kind of weight beside what the paper says, and of the stream.

    python -m benchmarks.first_weights --output benchmarks/results/first_weights.md

In: nothing. Out: a page. Weights are those of seed 0; the stream is measured in training, without dropout, on two
images of normal noise. The status is 1 if weights are not what a source says that is followed. Not done here: training.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor, nn

import archspec
from archspec import Network
from archspec.compiler import build
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.compiler.lowering.sharing import computing
from archspec.graph.ir import Graph, Node
from archspec.layers.attention import Attention
from archspec.layers.channels import Scale
from archspec.layers.conv import Convolution, DepthwiseConv
from archspec.layers.dropout import Dropout, DropPath
from archspec.layers.input import Embedding
from archspec.layers.linear import FullyConnected
from archspec.layers.sequence import ClassToken, PositionEmbedding, Transpose
from archspec.layers.upconv import TransposedConv
from benchmarks.prescriptions import FAMILIES, Prescription
from benchmarks.program import flags, run

SEED, IMAGES = 0, 2
CLOSE = 0.1  # how far a deviation may be from the one prescribed, as a share of it
FEW = 1000  # values, of which the deviation is uncertain
PARTS = {
    **dict.fromkeys(("qkv", "q", "k", "v", "kv"), "queries, keys, values"),
    "proj": "projection",
    "relative_position_bias_table": "offsets",
}


class Weight(NamedTuple):
    """A tensor at its start, and its fans without strides."""

    kind: str
    deviation: float
    values: int
    fan_in: float
    fan_out: float
    groups: float = 1


class Kind(NamedTuple):
    """All weights of a kind in a network, beside what a source says of them."""

    network: str
    prescription: Prescription
    weights: tuple[Weight, ...]

    @property
    def ratios(self) -> list[float]:
        """Each deviation, divided by the one prescribed; empty if nothing is, and 1 for zeros that are zeros."""
        rule = self.prescription.deviation
        if rule is None:
            return []
        wanted = [rule(one.fan_in, one.fan_out, one.groups) if callable(rule) else rule for one in self.weights]
        pairs = zip((one.deviation for one in self.weights), wanted, strict=True)
        return [found / want if want else 1 + found for found, want in pairs]

    @property
    def holds(self) -> bool:
        """Whether the weights are as prescribed, or that is not followed."""
        allowed = [CLOSE * max(1, (FEW / one.values) ** 0.5) for one in self.weights]
        close = all(abs(ratio - 1) <= most for ratio, most in zip(self.ratios, allowed, strict=False))
        return bool(self.weights) and (close or bool(self.prescription.instead))


class Stream(NamedTuple):
    """The deviations of what enters each normalisation of a network, in their order; or each layer with weights."""

    network: str
    before: str
    deviations: tuple[float, ...]


def weights_of(network: Network, module: nn.Module) -> Iterator[Weight]:
    """Every tensor of more than one axis, and class tokens and learned scales; shared ones once."""
    graph = network.graph
    last = heads(graph)
    for node in graph.trunk:
        if not graph.tensors(node) or node.layer.role:
            continue
        for own in graph.tensors(node):
            tensor = module.get_parameter(graph.parameter(node, own.name))
            if not own.name.endswith("bias"):
                kind = "head" if node.index in last else kind_of(graph, node, own.name)
                yield Weight(kind, _deviation(tensor), tensor.numel(), *_fans(graph, node, tensor))


def heads(graph: Graph) -> set[int]:
    """The last layer with weights before each output."""
    weighs = {node.index for node in graph.nodes if node.layer.is_weight_layer}
    return {max(weighs & needed(graph, output.node)) for output in graph.outputs}


def needed(graph: Graph, index: int) -> set[int]:
    """A node and all that it depends on."""
    found = {index}
    for node in reversed(graph.nodes[: index + 1]):
        if node.index in found:
            found.update(node.inputs)
    return found


def kind_of(graph: Graph, node: Node, name: str) -> str:
    """The kind of a tensor."""
    layer, before = node.layer, graph.nodes[node.inputs[0]]
    if isinstance(layer, Attention):
        return PARTS[name.partition(".")[0]]
    if isinstance(layer, Convolution):
        if isinstance(layer, DepthwiseConv):
            return "depthwise"
        return "patches" if not before.inputs and layer.kernel == layer.stride else "conv"
    if isinstance(layer, FullyConnected) and isinstance(before.layer, Transpose) and layer.bias_init:
        return "gate"
    names = {FullyConnected: "FC", TransposedConv: "upconv", ClassToken: "class token", Embedding: "embedding"}
    return {**names, PositionEmbedding: "positions", Scale: "scale"}[type(layer)]


def _deviation(tensor: Tensor) -> float:
    """The deviation from 0, so that of a constant it is the constant."""
    return tensor.square().mean().sqrt().item()


def _fans(graph: Graph, node: Node, tensor: Tensor) -> tuple[float, float, float]:
    """The products in one output and those of one input, from the shape of the weight, and the groups."""
    if tensor.dim() < 2:
        return 1, 1, 1
    window = tensor[0, 0].numel()
    first, second = tensor.shape[0] * window, tensor.shape[1] * window
    if isinstance(node.layer, TransposedConv):
        return first, second, 1
    groups = graph.inputs(node)[0].channels // tensor.shape[1] if isinstance(node.layer, Convolution) else 1
    return second, first / groups, groups


def stream_of(name: str, network: Network, module: nn.Module) -> Stream:
    """The deviations before the normalisations, or, without any, before the layers with weights."""
    nodes = [node for node in network.graph.trunk if node.layer.role == "normalisation"]
    where = "norms" if nodes else "layers with weights"
    nodes = nodes or [node for node in network.graph.trunk if node.layer.is_weight_layer]
    found: list[float] = []
    for part in dict.fromkeys(computing(network.graph, node) for node in nodes):
        module.get_submodule(part).register_forward_pre_hook(lambda _, given: found.append(_deviation(given[0])))
    module.train()
    for node in network.graph.nodes:
        if isinstance(node.layer, Dropout | DropPath):
            module.get_submodule(node.name).eval()
    with torch.no_grad():
        module(*random_inputs(network.graph, IMAGES, torch.Generator().manual_seed(SEED)))
    return Stream(name, where, tuple(found))


def family(name: str) -> tuple[list[Kind], Stream]:
    """The rows of a network."""
    network = archspec.load(name)
    module = build(network, seed=SEED)
    weights = list(weights_of(network, module))
    kinds = [Kind(name, one, tuple(weight for weight in weights if weight.kind == one.kind)) for one in FAMILIES[name]]
    missing = {weight.kind for weight in weights} - {one.kind for one in FAMILIES[name]}
    if missing:
        raise ValueError(f"{name}: nothing is said of {', '.join(sorted(missing))}")
    return kinds, stream_of(name, network, module)


def between(values: Iterable[float], digits: str = "3g") -> str:
    """One number, or the smallest to the largest."""
    low, high = f"{min(given := list(values)):.{digits}}", f"{max(given):.{digits}}"
    return low if low == high else f"{low} to {high}"


def kind_row(kind: Kind) -> str:
    """The line of the first table."""
    one = kind.prescription
    ratio = f"{fmean(kind.ratios):.2f}" if kind.ratios else ""
    followed = "MISSED" if not kind.holds else one.instead or "yes"
    found = between(weight.deviation for weight in kind.weights)
    return (
        f"| {kind.network} | {one.kind} | {len(kind.weights)} | {found} | {one.text} | {one.source}"
        f" | {ratio} | {followed} |"
    )


def stream_row(stream: Stream) -> str:
    """The line of the second table."""
    all_ = stream.deviations
    ends = f"{all_[0]:.2f} | {all_[-1]:.2f} | {min(all_):.2f} | {max(all_):.2f}"
    return f"| {stream.network} | {len(all_)} {stream.before} | {ends} |"


def report(kinds: Iterable[Kind], streams: Iterable[Stream]) -> str:
    """The page."""
    return (
        "\n".join(
            [
                "# First weights",
                "",
                "Written by `python -m benchmarks.first_weights`. Weights are those of seed 0; their deviation is that from 0. He's is",
                "sqrt(2/fan_in), Glorot's sqrt(2/(fan_in + fan_out)), LeCun's sqrt(1/fan_in), and torch's Conv2d has",
                "sqrt(1/(3 fan_in)). The ratio is that of the deviation here to the one of the source, in the mean over the",
                "tensors of a kind; where the source is not followed, the last column says what is done instead.",
                "",
                "| network | weights | tensors | deviation | of the source | source | ratio | followed |",
                "| --- | --- | ---: | --- | --- | --- | ---: | --- |",
                *map(kind_row, kinds),
                "",
                "## The stream",
                "",
                "The deviation of what enters each normalisation, of two images of normal noise, in training and without",
                "dropout; of a network without normalisations, what enters each layer with weights.",
                "",
                "| network | before | first | last | smallest | largest |",
                "| --- | --- | ---: | ---: | ---: | ---: |",
                *map(stream_row, streams),
            ]
        )
        + "\n"
    )


def measured(_of: argparse.Namespace) -> tuple[bool, str]:
    """All families, and the page."""
    torch.set_num_threads(1)
    found = [family(name) for name in FAMILIES]
    kinds = [kind for several, _ in found for kind in several]
    return all(kind.holds for kind in kinds), report(kinds, [stream for _, stream in found])


if __name__ == "__main__":
    sys.exit(run(flags(__doc__), measured))
