"""Several inputs and outputs, shared and tied weights: the module equals one written by hand, with its weights."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from archspec.compiler import build
from archspec.compiler.lowering.checkpointed import checkpointed_code
from archspec.compiler.lowering.random_inputs import random_inputs
from archspec.diagnostics.errors import ArchspecError
from archspec.graph.extent import upto
from archspec.graph.ir import Graph, SharedWeights
from archspec.graph.volume import Volume
from archspec.layers.base import Layer, TorchModule
from archspec.layers.base import Tensor as Parameter
from archspec.record import replace
from hand_written.sharing import Siamese, TiedLanguageModel, TwoOutputs
from support.graphs import TOWER, Sketch, siamese, two_outputs

TOWER_WEIGHTS = {"left.l1": "0", "left.l2": "1", "left.l5": "4", "left.l7": "7"}
WORDS, WIDTH = 11, 8


class Words(Layer):
    """A vector for each word."""

    reads_tokens: ClassVar[bool] = True
    is_embedding = True

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        return Volume((*inputs[0], WIDTH))

    def tensors(self, inputs: tuple[Volume, ...]) -> tuple[Parameter, ...]:
        return (Parameter("weight", (WORDS, WIDTH)),)

    def module(self, inputs: tuple[Volume, ...]) -> TorchModule | None:
        return TorchModule("Embedding", {"num_embeddings": WORDS, "embedding_dim": WIDTH})


def language_model(head: str = f"FC {WORDS}") -> Graph:
    sketch = Sketch()
    sketch.input("tokens", 7, tokens=True)
    sketch.layer("words", Words())
    sketch.layer("mix", f"FC {WIDTH}")
    sketch.layer("norm", "LN eps=1e-5")
    sketch.layer("head", head, weights="words")
    return sketch.graph()


def siamese_pair() -> tuple[Graph, nn.Module, dict[str, str]]:
    names = {f"tower.{theirs}": ours for ours, theirs in TOWER_WEIGHTS.items()}
    return siamese(), Siamese(), names


def two_outputs_pair() -> tuple[Graph, nn.Module, dict[str, str]]:
    return two_outputs(), TwoOutputs(), {}


def language_pair() -> tuple[Graph, nn.Module, dict[str, str]]:
    return language_model(), TiedLanguageModel(WORDS, WIDTH), {"": "head"}


PAIRS = {"siamese": siamese_pair, "two outputs": two_outputs_pair, "language model": language_pair}


def ours(name: str, names: dict[str, str]) -> str:
    """Our name of a tensor of the hand-written module."""
    path, _, tensor = name.rpartition(".")
    return f"{names.get(path, path)}.{tensor}"


def parts(results: Any) -> tuple[Tensor, ...]:
    return results if isinstance(results, tuple) else (results,)


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name: one.grad for name, one in module.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_outputs_gradients_and_statistics_are_those_of_the_hand_written_network(name: str, training: bool) -> None:
    graph, theirs, names = PAIRS[name]()
    own = build(graph, seed=0).double().train(training)
    theirs = theirs.double().train(training)
    own.load_state_dict({ours(key, names): value.clone() for key, value in theirs.state_dict().items()})
    inputs = [one.double() if one.is_floating_point() else one for one in random_inputs(graph, 3)]
    found, expected = parts(own(*inputs)), parts(theirs(*inputs))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    for results in (found, expected):
        sum((one * torch.linspace(-1, 1, one.numel()).view_as(one)).sum() for one in results).backward()  # type: ignore[union-attr]  # a tensor
    left = gradients(own)
    for key, value in gradients(theirs).items():
        torch.testing.assert_close(left.pop(ours(key, names)), value, rtol=1e-10, atol=1e-10)
    assert not left
    state = own.state_dict()
    for key, value in theirs.state_dict().items():  # two uses move the statistics twice
        torch.testing.assert_close(state[ours(key, names)], value, rtol=1e-12, atol=1e-12)


def test_the_arguments_and_the_results_are_in_the_order_of_the_spec() -> None:
    module = build(two_outputs(), seed=0).eval()
    assert (module.output_names, module.loss_names, module.loss_weights) == (("map", "head"), ("map", "head"), (1, 1))
    found = dict(zip(module.output_names, module(torch.randn(2, 3, 6, 6)), strict=True))
    assert {name: tuple(one.shape) for name, one in found.items()} == {"map": (2, 6, 6, 6), "head": (2, 5)}
    assert "def forward(self, v0, v8):" in build(siamese(), seed=0).code


def test_a_layer_may_leave_the_network_twice() -> None:
    sketch = Sketch()
    sketch.input("input", 4)
    sketch.layer("scores", "FC 3")
    once, again = build(sketch.graph("scores", "scores"), seed=0).eval()(torch.ones(2, 4))
    assert torch.equal(once, again)


def test_an_output_is_not_written_over() -> None:
    graph = two_outputs()
    module = build(graph, seed=0).eval()
    assert "v4 = torch.relu(v3)" in module.code
    assert "torch.relu_(v1)" in module.code
    features, _ = module(torch.randn(2, 3, 6, 6))
    assert (features < 0).any()


def test_a_result_that_only_a_loss_names_is_not_written_over() -> None:
    sketch = Sketch()
    sketch.input("input", 6)
    for name, text in (("teacher", "FC 5"), ("r", "RELU"), ("scores", "FC 5")):
        sketch.layer(name, text)
    module = build(sketch.graph(losses=(("teacher", 0.5), ("scores", 1.0))), seed=0)
    assert (module.loss_names, module.loss_weights) == (("teacher", "scores"), (0.5, 1.0))
    teacher, _ = module.train()(torch.randn(4, 6))
    assert (teacher < 0).any()


def test_what_no_loss_depends_on_is_left_out_of_training() -> None:
    graph = distilled()
    module = build(graph, seed=0)
    assert "self.unused" in module.code
    assert "self.unused" not in module.training_code
    sum(one.sum() for one in module.train()(torch.randn(2, 6))).backward()
    assert {name for name, one in module.named_parameters() if one.grad is None} == {"unused.weight", "unused.bias"}


def distilled() -> Graph:
    """Two heads with losses; their sum is the output, and so is a layer without a loss."""
    sketch = Sketch()
    sketch.input("input", 6)
    sketch.layer("stem", "FC 5")
    sketch.layer("class", "FC 3", "stem")
    sketch.layer("teacher", "FC 3", "stem")
    sketch.layer("scores", "add", "class", "teacher")
    sketch.layer("unused", "FC 2", "stem")
    return sketch.graph("scores", "unused", losses=(("class", 0.5), ("teacher", 0.5)))


# ---- one set of parameters
@pytest.mark.parametrize("name", PAIRS)
def test_a_tensor_is_registered_stored_and_drawn_once(name: str) -> None:
    graph, theirs, names = PAIRS[name]()
    module = build(graph, seed=3)
    state = module.state_dict()
    assert sorted(state) == sorted(ours(key, names) for key in theirs.state_dict())
    total = sum(tensor.size for node in graph.nodes if node.inputs for tensor in graph.tensors(node))
    assert total == sum(one.numel() for one in module.parameters())
    stored = load(save(state))  # refuses tensors that share memory
    assert all(torch.equal(stored[key], value) for key, value in state.items())
    assert all(one.std() > 0 for key, one in module.named_parameters() if one.dim() > 1), "drawn"


def test_first_weights_are_those_of_a_network_without_the_second_use() -> None:
    graph = siamese()
    alone = Sketch()
    alone.input("left", 8, 8, 1)
    alone.tower("left", "left", *TOWER)
    one, both = build(alone.graph(), seed=5).state_dict(), build(graph, seed=5).state_dict()
    assert one.keys() == both.keys()
    assert all(torch.equal(value, both[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("FC 4", "FC 4 nobias"),
        ("CONV 4 3x3 p1", "CONV 4 3x3 p0:2"),  # the second is padded by a step of its own
        ("CONV 4 3x3 p0:2", "CONV 4 3x3 p1"),
        ("CONV 4 3x3 p1 nobias", "CONV 4 3x3 p2 d2 nobias"),
        ("DWCONV 3x3 p1", "DWCONV 3x3 p1 nobias"),
        ("UPCONV 4 2x2 s2", "UPCONV 4 2x2 s2 nobias"),
        ("LN", "LN"),
        ("AFFINE", "AFFINE"),
        ("SCALE 1", "SCALE 1"),
        ("GN 2", "GN 2"),
        ("POSEMBED", "POSEMBED"),
        ("MHSA 2 window=3 relpos", "MHSA 2 window=3 shift=1 relpos"),
    ],
)
def test_a_tied_layer_computes_with_the_owners_tensor(first: str, second: str) -> None:
    sketch = Sketch()
    sketch.input("input", 6, 6, 4)
    sketch.layer("owner", first, "input")
    sketch.layer("tied", second, "input", weights="owner")
    plain = Sketch()
    plain.input("input", 6, 6, 4)
    plain.layer("owner", first, "input")
    plain.layer("tied", second, "input")
    graph = sketch.graph("owner", "tied")
    module, apart = build(graph, seed=0).double(), build(plain.graph("owner", "tied"), seed=1).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    state = module.state_dict()
    shared = graph.nodes[2].weights
    assert shared is not None
    for name in shared.tensors:
        assert f"tied.{name}" not in state
    taken = {name: f"owner.{name.removeprefix('tied.')}" for name in apart.state_dict()}
    apart.load_state_dict({name: state.get(name, state.get(other)) for name, other in taken.items()})
    image = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    for one, other in zip(module(image), apart(image), strict=True):
        torch.testing.assert_close(one, other)
    sum(one.square().sum() for one in module(image)).backward()
    sum(one.square().sum() for one in apart(image)).backward()
    uses, found = gradients(apart), gradients(module)
    for tensor in shared.tensors:
        uses[f"owner.{tensor}"] = uses[f"owner.{tensor}"] + uses.pop(f"tied.{tensor}")
    assert found.keys() == uses.keys()
    for name, total in uses.items():
        torch.testing.assert_close(found[name], total)


def test_a_part_without_the_owner_has_its_parameters_under_the_owners_name() -> None:
    graph = siamese()
    whole = build(graph, seed=0).eval()
    part = upto(graph, graph.nodes[-2].index)  # the right tower
    module = build(part, seed=1).eval()
    assert set(module.state_dict()) == set(whole.state_dict())
    module.load_state_dict(whole.state_dict())
    left, right = random_inputs(graph, 2)
    expected = build(upto(graph, graph.nodes[7].index), seed=0).eval()(right)
    assert torch.equal(module(right), expected)
    assert not torch.equal(module(left), expected)


def test_a_part_without_the_owner_of_a_tied_layer_has_the_tensor_there_and_the_bias_here() -> None:
    sketch = Sketch()
    sketch.input("left", 6)
    sketch.layer("owner", "FC 4")
    sketch.input("right", 6)
    sketch.layer("tied", "FC 4", "right", weights="owner")
    graph = sketch.graph("owner", "tied")
    tied = replace(graph.nodes[3], weights=SharedWeights("owner", ("weight",)))
    module = build(upto(Graph("tied", (*graph.nodes[:3], tied), graph.outputs), 3), seed=0)
    state = module.state_dict()
    assert set(state) == {"owner.weight", "tied.bias"}
    assert state["owner.weight"].std() > 0
    x = torch.randn(2, 6)
    torch.testing.assert_close(module(x), x @ state["owner.weight"].T + state["tied.bias"])


def test_statistics_of_a_map_are_not_those_of_a_sequence() -> None:
    sketch = Sketch()
    sketch.input("input", 4, 4, 3)
    sketch.layer("bn", "BN")
    sketch.layer("tokens", "TOKENS")
    sketch.layer("bn2", "BN", weights="bn")
    with pytest.raises(ArchspecError, match="bn2 cannot use the weights of bn: their statistics are of other dim"):
        build(sketch.graph())


# ---- what is done with a module
@pytest.mark.parametrize("name", PAIRS)
def test_a_module_survives_pickling_and_copying(name: str) -> None:
    survives(name, lambda module: (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)))


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_the_compiler_takes_the_module_as_one_graph(name: str, record_property: Callable[[str, object], None]) -> None:
    survives(name, lambda module: (torch.compile(copy.deepcopy(module), backend="aot_eager", fullgraph=True),))
    record_property("sweep", f"torch.compile of a network with shared weights or several outputs: {name}")


def survives(name: str, others: Callable[[nn.Module], Iterable[Any]]) -> None:
    graph, *_ = PAIRS[name]()
    module = build(graph, seed=0).eval()
    inputs = random_inputs(graph, 2, torch.Generator().manual_seed(0))
    expected = parts(module(*inputs))
    for other in others(module):
        found = parts(other(*inputs))
        assert all(torch.allclose(one, two, atol=1e-6) for one, two in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", PAIRS)
def test_checkpointing_computes_the_same_gradients_and_statistics(name: str) -> None:
    graph, *_ = PAIRS[name]()
    inputs = random_inputs(graph, 3, torch.Generator().manual_seed(0))
    states = []
    for cuts in ((), (3, 5), tuple(range(2, len(graph.nodes)))):
        module = build(graph, seed=0).train()
        if cuts:
            module.train_with(checkpointed_code(graph, cuts))
        results = parts(module(*inputs))
        sum(one.square().sum() for one in results).backward()  # type: ignore[union-attr]  # a tensor
        states.append({**gradients(module), **dict(module.named_buffers())})
    for other in states[1:]:
        assert all(torch.equal(one, other[key]) for key, one in states[0].items())
