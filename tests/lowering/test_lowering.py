"""The torch module of a network computes what a hand-written one does, and behaves as torch's tools expect."""

import copy
import pickle
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

import archspec
from archspec.analyses.partition import Stage
from archspec.compiler import build
from archspec.compiler.lowering.initialise import Unfilled
from archspec.compiler.lowering.stage_module import stage_module
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph, Node, Output
from archspec.graph.volume import Volume
from archspec.layers import MERGES, REGISTRY
from archspec.layers.base import Layer
from archspec.layers.input import Input
from archspec.record import Record
from archspec.resolve.layer_names import layer_from_text
from benchmarks.reference import MODELS
from benchmarks.training_memory.unseen import UNSEEN
from hand_written import HAND_WRITTEN
from support.layer_modules import torch_module
from support.networks import small_input

SPAN = Span(Source("", ""), 0, 0)
EXAMPLES = [
    (layer.keyword, example.text, example.inputs)
    for layer in dict.fromkeys([*REGISTRY.values(), *MERGES.values()])
    for example in layer.examples
    if layer is not Input
]
BY_HAND = {**MODELS, **UNSEEN, **HAND_WRITTEN}
# take their own input only: an FC, windows, or a weight for each patch
FIXED = {
    "lenet5",
    "alexnet",
    "alexnet_2gpu",
    "zfnet",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "googlenet",
    "vit_b16",
    "mixer_s16",
    "resmlp12",
    "gmlp_s16",
    "swin_t",
}
DEEP = {"senet154"}  # untrained, it amplifies the rounding errors of float32 beyond any bound
LONG = {
    "zfnet",
    "vgg13",
    "vgg16",
    "vgg19",
    "resnet101",
    "resnet152",
    "inception_resnet_v2",
    "senet154",
    "efficientnet_b5",
    "nasnet_a_large",
}
RESIDUAL = """\
net Residual
[12x12x3] INPUT
CONV 8 3x3 p1 -> BN -> RELU
add
    | CONV 8 3x3 p1 -> BN -> RELU -> DROPOUT 0.5 -> CONV 8 3x3 p1
    | x
RELU
stem: CONV 8 1x1
aux 0.3: GAP -> FC 5
concat
    | RELU -> DROPPATH 0.5
    | @stem
mul
    | x
    | GAP -> FC 16 -> SIGMOID
GAP -> FC 5
"""


def shaped(volume: tuple[int, ...], batch: int = 2) -> Tensor:
    """Random values of a volume as torch orders it."""
    return torch.randn(batch, *Volume(volume).laid_out)


def single(layer: Layer, inputs: tuple[tuple[int, ...], ...]) -> Graph:
    """A graph of one layer."""
    volumes = tuple(map(Volume, inputs))
    nodes = [Node(place, f"input{place}", Input(), (), volume, None, SPAN) for place, volume in enumerate(volumes)]
    out = layer.output(volumes)
    places = tuple(range(len(volumes)))
    nodes.append(Node(len(volumes), "layer", layer, places, out, None, SPAN))
    return Graph("one", tuple(nodes), (Output("layer", len(volumes)),))


@pytest.mark.parametrize(("keyword", "text", "inputs"), EXAMPLES)
def test_each_layer_computes_what_its_hand_written_module_does(
    keyword: str, text: str, inputs: tuple[tuple[int, ...], ...]
) -> None:
    layer = MERGES[keyword]() if keyword in MERGES else layer_from_text(text)
    graph = single(layer, inputs)
    made, oracle = build(graph, seed=0).eval(), torch_module(layer, tuple(map(Volume, inputs)))
    given_ = [torch.randint(4, (2, *volume)) if layer.reads_tokens else shaped(volume) for volume in inputs]
    if not layer.is_expression:
        own = made.get_submodule("layer")
        with torch.no_grad():
            for parameter in own.parameters():
                parameter.uniform_(-1, 1)
        oracle.load_state_dict(own.state_dict())
    torch.testing.assert_close(made(*given_), oracle(*given_), rtol=1e-5, atol=1e-5)


class Uses(TorchFunctionMode):
    """Notes the parameters in the order in which a forward pass uses them."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters: dict[int, nn.Parameter] = {}
        self.dropouts: list[tuple[int, float]] = []  # behind how many parameters, and how much

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = (*args, *(kwargs or {}).values())
        self.parameters |= {id(one): one for one in given if isinstance(one, nn.Parameter)}
        if func is functional.dropout:
            self.dropouts.append((len(self.parameters), kwargs["p"]))
        return func(*args, **(kwargs or {}))


class ShapesOfNorms(Uses):
    """A batch normalisation on the meta device takes 20 ms to find that its output has its input's shape."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        norm = func is functional.batch_norm
        return super().__torch_function__(same_shape if norm else func, types, args, kwargs)


def same_shape(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.empty_like(x)


class Pass(Record):
    """What a forward pass on the meta device tells of a module, which is random as while training."""

    order: tuple[str, ...]  # of the parameters' first uses
    dropouts: tuple[tuple[int, float], ...]
    norms: Counter[tuple[float, float | None]]


def passed(module: nn.Module, volume: tuple[int, ...]) -> Pass:
    with ShapesOfNorms() as uses:
        module.train()(shaped(volume))
    norms = Counter(
        (part.eps, getattr(part, "momentum", None))
        for part in module.modules()
        if isinstance(part, nn.BatchNorm2d | nn.LayerNorm)
    )
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    return Pass(tuple(names[one] for one in uses.parameters), tuple(uses.dropouts), norms)


@cache
def passes(name: str) -> tuple[Pass, Pass]:
    """The passes of our module and of the hand-written one."""
    network = loaded(name)
    with torch.device("meta"):
        ours, theirs = (passed(module, tuple(network.input)) for module in (build(network), BY_HAND[name]()))
    return ours, theirs


def in_order(name: str, made: nn.Module, reference: nn.Module) -> list[tuple[nn.Parameter, nn.Parameter]]:
    """The parameters of both, in the order of their first uses."""
    ours, theirs = passes(name)
    pairs = zip(ours.order, theirs.order, strict=True)
    return [(made.get_parameter(own), reference.get_parameter(other)) for own, other in pairs]


def loaded(name: str) -> archspec.Network:
    return archspec.load(name, input=None if name in FIXED else small_input(name))


def alike(name: str) -> tuple[nn.Module, nn.Module, Tensor]:
    """Our module and the hand-written one with the same weights and nothing random, and images for them."""
    torch.manual_seed(0)  # some untrained networks amplify rounding errors a thousandfold, for some numbers more
    network = loaded(name)
    images = shaped(tuple(network.input), batch=1 if name in FIXED else 2)
    made = build(network, seed=1, follow_init=False)
    with Unfilled():
        reference = BY_HAND[name]()
    with torch.no_grad():
        for own, other in in_order(name, made, reference):
            if own.dim() < 2:  # biases, norms and scales take part too
                own.add_(torch.randn_like(own), alpha=0.1)
            other.copy_(own.view_as(other))
    for module in (*made.modules(), *reference.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0
    return made, reference, images


def compare(name: str) -> None:
    """Compare the scores of both."""
    made, reference, images = alike(name)
    if name in DEEP:
        made, reference, images = made.double(), reference.double(), images.double()
    with torch.no_grad():
        scores, expected = made.eval()(images), reference.eval()(images)
    largest = expected.abs().max().item()  # grows with the depth of an untrained network
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5 * max(1, largest))


@pytest.mark.parametrize("name", BY_HAND)
def test_a_network_of_the_canon_equals_the_hand_written_one(name: str) -> None:
    ours, theirs = passes(name)
    assert ours.norms == theirs.norms
    assert ours.dropouts == theirs.dropouts
    if name not in LONG:
        compare(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LONG))
def test_a_long_network_of_the_canon_equals_the_hand_written_one(name: str) -> None:
    compare(name)


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "googlenet"])
def test_gradients_equal_the_hand_written_networks(name: str) -> None:
    made, reference, images = alike(name)
    for module in (made, reference):
        scores = module(images)  # and in GoogLeNet those of the auxiliary classifiers
        sum(part.square().mean() for part in (scores if isinstance(scores, tuple) else (scores,))).backward()
    for own, other in in_order(name, made, reference):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("steps", ["RELU", "DROPOUT 0.5 -> RELU", "TOKENS -> RELU", "add\n    | x\n    | RELU6"])
def test_the_images_are_not_written_to(steps: str, training: bool) -> None:
    module = build(archspec.loads(f"[4x4x3] INPUT\n{steps}\n")).train(training)
    images = shaped((4, 4, 3))
    before = images.clone()
    module(images)
    assert torch.equal(images, before)


def test_a_stage_does_not_write_to_the_values_that_it_is_given() -> None:
    graph = archspec.loads("[4x4x3] INPUT\nCONV 3 1x1 -> BN -> RELU -> CONV 3 1x1\n").graph
    stage = Stage(3, len(graph.nodes), 0, 0, ())  # it begins with the RELU
    part = stage_module(graph, build(graph), stage).train()
    given_ = shaped((4, 4, 3))
    before = given_.clone()
    part(given_)
    assert torch.equal(given_, before)


def test_weights_bear_the_names_of_the_spec() -> None:
    network = archspec.load("resnet50")
    names = {f"{node.name}.{tensor.name}" for node in network.graph.nodes for tensor in network.graph.tensors(node)}
    module = build(network)
    assert {name for name, _ in module.named_parameters()} == names
    assert "stage2.bottleneck3.conv2.weight" in names
    assert sum(parameter.numel() for parameter in module.parameters()) == network.params


def test_auxiliary_classifiers_are_there_while_training_only() -> None:
    module = build(archspec.loads(RESIDUAL), seed=0)
    images = shaped((12, 12, 3))
    scores, auxiliary = module.train()(images)
    assert (scores.shape, auxiliary.shape) == ((2, 5), (2, 5))
    assert module.loss_weights == (1.0, 0.3)
    assert module.eval()(images).shape == (2, 5)


def test_values_are_dropped_behind_their_last_reader() -> None:
    network = archspec.loads(RESIDUAL)
    code = build(network).code
    for node in network.graph.trunk[:-1]:
        assert re.search(rf"del .*\bv{node.index}\b", code), node.name


@pytest.mark.parametrize("training", [False, True])
def test_torch_compile_gives_the_same(training: bool) -> None:
    text = RESIDUAL.replace("DROPOUT 0.5", "TANH").replace("DROPPATH 0.5", "TANH")
    module, images = build(archspec.loads(text), seed=0).train(training), shaped((12, 12, 3))
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(images), module(images))


def test_a_pickled_module_computes_the_same() -> None:
    module = build(archspec.loads(RESIDUAL), seed=0).eval()
    images = shaped((12, 12, 3))
    torch.testing.assert_close(pickle.loads(pickle.dumps(module))(images), module(images))


def test_a_copy_computes_with_its_own_weights() -> None:
    module = build(archspec.loads(RESIDUAL), seed=0).eval()
    images = shaped((12, 12, 3))
    twin = copy.deepcopy(module)
    torch.testing.assert_close(twin(images), module(images))
    with torch.no_grad():
        twin.get_parameter("conv1.weight").zero_()
    assert not torch.allclose(twin(images), module(images))


def test_autocast_and_channels_last_work() -> None:
    module = build(archspec.load("resnet18", input="64x64x3"), seed=0).eval()
    images = shaped((64, 64, 3))
    expected = module(images)
    with torch.autocast("cpu", torch.bfloat16):
        assert module(images).dtype == torch.bfloat16
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    last = module(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, expected, rtol=1e-3, atol=1e-4)


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean() -> None:
    module = build(archspec.loads("[4] INPUT\nDROPPATH 0.25\n")).train()
    rows = module(torch.ones(4000, 4))
    assert rows.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert torch.equal(rows.amin(1), rows.amax(1))
    assert rows.mean().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", ["eval", "code", "_use"])
def test_a_name_that_the_module_has_is_refused(name: str) -> None:
    with pytest.raises(ArchspecError, match=f"`{name}` cannot name a layer"):
        build(archspec.loads(f"[4] INPUT\n{name}: FC 4\n"))


def test_a_word_of_python_names_a_layer() -> None:
    module = build(archspec.loads("block b()\n    lambda: FC 3\n\n[4] INPUT\nclass: FC 4\nb()\n"))
    assert module(torch.ones(2, 4)).shape == (2, 3)
    assert {"class.weight", "b1.lambda.weight"} < set(module.state_dict())
