"""Merged branches and values written in place: random networks equal a walk that never overwrites, and need the memory
that the model of training says."""

from functools import reduce
from operator import add
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile, record_function

import archspec
from archspec.analyses.memory import training_peak
from archspec.compiler import build
from archspec.compiler.lowering.initialise import settle
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.graph.ir import Graph, Node
from archspec.library import built_in
from support.layer_modules import torch_module
from support.memory_measures import THREADS, peak

# steps that keep the volume, some by going there and back; identities and views among them
MAP = (
    "RELU",
    "RELU",
    "CONV 8 3x3 p1",
    "CONV 8 3x3 s1 p0:2",
    "DWCONV 3x3 p1",
    "BN",
    "LN",
    "GN 2",
    "NORM",
    "AFFINE",
    "RELU6",
    "TANH",
    "SIGMOID",
    "GELU",
    "SOFTMAX",
    "DROPOUT 0",
    "DROPPATH 0",
    "SHUFFLE 1",
    "SPACE2DEPTH 1",
    "SHIFT",
    "UPSAMPLE 1",
    "PAD p0",
    "POSEMBED",
    "SCALE 2 fixed",
    "MAXPOOL 3x3 s1 p1",
    "AVGPOOL 2x2 s1 p0:1",
    "SLICE 0 8",
    "SLICE 0 4 -> RELU -> PADCHANNELS 8",
    "MHSA 2 window=3 shift=1 relpos",
)
SEQUENCE = (
    "RELU",
    "RELU",
    "FC 8",
    "BN",
    "LN",
    "TANH",
    "SIGMOID",
    "GELU",
    "SOFTMAX",
    "DROPOUT 0",
    "DROPPATH 0",
    "POSEMBED",
    "AFFINE",
    "SCALE 1",
    "MHSA 2",
    "SLICE 0 8",
    "TRANSPOSE -> RELU -> TRANSPOSE",
    "TANH -> TRANSPOSE -> TRANSPOSE",
)
SHARED = {  # a block whose calls have one set of weights
    "[6x6x8]": "block unit shared\n    CONV 8 3x3 p1 -> BN -> RELU\n",
    "[6x8]": "block unit shared\n    FC 8 -> LN -> RELU\n",
}
BACK = {"[6x6x8]": "CONV 8 1x1", "[6x8]": "FC 8"}  # to 8 channels, behind a concat


@st.composite
def networks(draw: st.DrawFn) -> str:
    head, steps = draw(st.sampled_from([("[6x6x8]", MAP), ("[6x8]", SEQUENCE)]))
    chains = st.lists(st.sampled_from((*steps, "unit()", "unit()")), min_size=1, max_size=4).map(" -> ".join)
    gates = st.just("GAP -> FC 8 -> RELU -> FC 8 -> SIGMOID")
    lines = [f"{SHARED[head]}", f"{head} INPUT", draw(chains)]
    has_outputs = draw(st.booleans())
    for number in range(draw(st.integers(0, 3))):
        merge = draw(st.sampled_from(["add", "add", "concat", "mul"]))
        branch = st.one_of(chains, st.just("x"), chains.map("x -> {}".format))
        first, second = draw(branch), draw(gates if merge == "mul" else branch)
        lines += [merge, f"    | {first}", f"    | {second}", BACK[head] if merge == "concat" else draw(chains)]
        lines += draw(st.sampled_from([[], ["aux 0.3: GAP -> FC 5"]]))
        if has_outputs and draw(st.booleans()):
            lines.append(f"output o{number}: {draw(chains)}")
    last = draw(st.sampled_from(["RELU", "FC 5"]))
    return "\n".join([*lines, f"output last: {last}" if has_outputs else last]) + "\n"


class Walk(nn.Module):
    """The graph layer by layer, by the contract's hand-written modules; each result is a copy of its own."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.layers = nn.ModuleDict(
            {str(n.index): torch_module(n.layer, graph.inputs(n)) for n in graph.nodes if n.inputs}
        )
        for layer in self.layers.values():
            if hasattr(layer, "inplace"):
                vars(layer)["inplace"] = False

    def of(self, node: Node) -> nn.Module:
        """The module of a layer: the one module of a shared block; an FC with the weights of an EMBED has a copy."""
        maker = self.graph.maker(node)
        return self.layers[str(maker.index if type(maker.layer) is type(node.layer) else node.index)]

    def take(self, node: Node, state: dict[str, Tensor]) -> None:
        own, shared = (
            {name.removeprefix(f"{whose}."): one for name, one in state.items() if name.startswith(f"{whose}.")}
            for whose in (node.name, self.graph.maker(node).name)
        )
        module = self.of(node)
        module.load_state_dict({key: (own if key in own else shared)[key] for key in module.state_dict()})

    def forward(self, *given: Tensor) -> list[Tensor]:
        waiting, results = iter(given), list[Tensor]()
        for node in self.graph.nodes:
            read = (results[index] for index in node.inputs)
            results.append(self.of(node)(*read).clone() if node.inputs else next(waiting))
        ends = [*(one.node for one in self.graph.outputs), *(head.output for head in self.graph.heads)]
        return [results[end] for end in ends]


def parts(result: Any) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def weighted(results: Any) -> Tensor:
    """A number on which each value has another influence."""
    total: Tensor = reduce(add, ((one * torch.linspace(-1, 1, one.numel()).view_as(one)).sum() for one in results))
    return total


def images_for(graph: Graph, batch: int = 2) -> Tensor:
    return torch.randn(batch, *graph.nodes[0].volume.laid_out)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=networks(), channels_last=st.booleans())
def test_a_random_network_equals_a_walk_that_overwrites_nothing(text: str, channels_last: bool) -> None:
    equals_a_walk(text, channels_last)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, derandomize=True)
@given(text=networks(), channels_last=st.booleans())
def test_400_random_networks_equal_a_walk_that_overwrites_nothing(text: str, channels_last: bool) -> None:
    equals_a_walk(text, channels_last)


def equals_a_walk(text: str, channels_last: bool) -> None:
    graph = archspec.loads(text).graph
    module, walk = build(graph, seed=0).double().train(), Walk(graph).double().train()
    learning = [node for node in graph.nodes if graph.tensors(node)]
    for node in learning:
        walk.of(node).load_state_dict(module.get_submodule(node.name).state_dict())
    images = images_for(graph).double()
    if channels_last and images.dim() == 4:
        images = images.to(memory_format=torch.channels_last)
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    ours, theirs = images.clone().requires_grad_(), images.clone().requires_grad_()
    got, expected = parts(module(ours)), tuple(walk(theirs))
    assert torch.equal(ours, images)
    torch.testing.assert_close(got, expected)
    weighted(got).backward()
    weighted(expected).backward()
    pairs = [(ours, theirs)]
    for node in learning:
        own = walk.of(node)
        pairs += [(one, own.get_parameter(name)) for name, one in module.get_submodule(node.name).named_parameters()]
    for mine, other in pairs:
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", built_in())
def test_every_built_in_network_equals_a_walk_too(name: str) -> None:
    graph = archspec.load(name).graph
    module, walk = build(graph, seed=0, follow_init=False).eval(), Walk(graph).eval()
    inputs = random_inputs(graph, 1)
    settle(module, graph, seed=0)
    for node in graph.nodes:
        if node.inputs and node.layer.tensors(graph.inputs(node)):
            walk.take(node, module.state_dict())
    with torch.no_grad():
        results, expected = parts(module(*inputs)), walk(*inputs)[: len(graph.outputs)]
    for one, other in zip(results, expected, strict=True):
        largest = other.abs().max().item()
        assert 0 < largest < torch.inf
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * largest)


# ---- memory
RESIDUAL = "CONV 16 3x3 p1 -> BN -> RELU\n" + "add\n    | CONV 16 3x3 p1 -> BN\n    | x\nRELU\n" * 4 + "GAP -> FC 10\n"


def training_bytes(graph: Graph, batch: int) -> int:
    """Peak bytes of the second step of SGD with momentum, by torch's allocator."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        module = build(graph, seed=0).train()
        optimizer = torch.optim.SGD(module.parameters(), lr=1e-3, momentum=0.9, foreach=False)
        images, labels = images_for(graph, batch), torch.zeros(batch, dtype=torch.long)
        for mark in ("first", "second"):
            with record_function(mark):
                optimizer.zero_grad()
                reduce(add, [functional.cross_entropy(one, labels) for one in parts(module(images))]).backward()
                optimizer.step()
    return peak(profiler, "second")


@pytest.mark.parametrize(
    "network",
    [
        archspec.loads("[32x32x16] INPUT\n" + RESIDUAL),
        archspec.loads("[32x32x16] INPUT\nCONV 16 3x3 p1\naux 0.3: GAP -> FC 10\n" + RESIDUAL),
        archspec.loads("[64x32] INPUT\n" + "add\n    | LN -> MHSA 4\n    | x\n" * 3 + "LN -> GAP -> FC 10\n"),
        archspec.load("resnet18", input="32x32x3"),
    ],
    ids=["residual", "auxiliary", "encoder", "resnet18"],
)
def test_training_needs_the_memory_that_check_predicts(network: archspec.Network) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        measured = training_bytes(network.graph, 16)
    finally:
        torch.set_num_threads(threads)
    predicted = training_peak(network.graph, 16, weight_decay=False).total
    assert measured == pytest.approx(predicted, rel=0.01)
