"""Receptive fields are where gradients arrive: small networks, and random ones, are probed with torch."""

import time

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import archspec
from archspec.analyses.receptive_field import last_map, receptive_fields
from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph, Node, Output
from archspec.graph.volume import Volume
from archspec.language.parse import parse
from archspec.layers.conv import Conv
from archspec.layers.input import Input
from archspec.layers.pool import AvgPool, MaxPool
from archspec.resolve import Overrides, resolve
from support.layer_modules import torch_module

NOISE = 1e-12
PLACES = 14  # outputs that are probed
FEWEST = 9  # outputs along a side: with fewer, pads reach the middle third


def graph_of(text: str) -> Graph | None:
    file, findings = parse(Source("test.arch", text))
    if findings:
        return None
    return resolve(file, lambda *_: pytest.fail("no `use` here"), Overrides()).graph


def fields(text: str) -> tuple[Graph, tuple[int, int]]:
    graph = graph_of(text)
    assert graph is not None, text
    return graph, receptive_fields(graph)[graph.output].size


# ---- the oracle
def run(graph: Graph, image: Tensor) -> Tensor:
    """The network in torch. All weights are positive, so that nothing cancels; a mean sees what a maximum may see."""
    results: list[Tensor] = []
    for node in graph.nodes:
        if not node.inputs:
            results.append(image)
            continue
        layer = node.layer
        if isinstance(layer, MaxPool):
            layer = AvgPool(layer.kernel, layer.stride, layer.pad, layer.rounding)
        module = torch_module(layer, graph.inputs(node)).double()
        for parameter in module.parameters():
            nn.init.uniform_(parameter, 0.1, 1.0)
        result = module(*(results[index] for index in node.inputs))
        results.append(result / result.detach().abs().amax())  # larger values would saturate an attention
    return results[graph.output]


def probed(graph: Graph) -> tuple[int, int] | None:
    """The largest height and width that an output sees; nothing where edges and pads may cut all of them off."""
    torch.manual_seed(0)
    size = graph.nodes[0].volume
    image = torch.rand(1, size.channels, *size.spatial, dtype=torch.float64, requires_grad=True)
    output = run(graph, image)
    largest = [0, 0]
    for row, column in zip(*map(middle, output.shape[2:]), strict=True):
        (gradient,) = torch.autograd.grad(output[0, :, row, column].sum(), image, retain_graph=True)
        mask = gradient[0].abs().amax(0) > NOISE
        for axis in (0, 1):
            seen = mask.any(1 - axis).nonzero().flatten().tolist()
            if 0 in seen or size[axis] - 1 in seen:
                return None
            largest[axis] = max([largest[axis], *(last - seen[0] + 1 for last in seen[-1:])])
    return (largest[0], largest[1]) if min(output.shape[2:]) >= FEWEST else None


def middle(extent: int) -> list[int]:
    """PLACES outputs around the middle third, or fewer and some again."""
    return [extent // 3 + place % max(1, extent // 3) for place in range(PLACES)]


# ---- small networks
NETS = {
    "a chain": "CONV 2 3x3 p1 -> POOL 2x2 s2 -> CONV 2 5x3 -> AVGPOOL 3x3 s2 p1",
    "different sides": "CONV 2 1x7 s1x2 p0x3 -> CONV 2 5x1 s2x1 p2x0 -> CONV 2 2x3",
    "dilation": "CONV 2 3x3 d2 p2 -> CONV 2 3x3 d4 p4 -> CONV 2 3x5 s2 d3 floor",
    "no pads at all": "CONV 2 4x4 s2 -> CONV 2 4x4 floor -> POOL 3x3 s2 floor",
    "pads at one end": "CONV 2 3x3 s2 p0:1 -> CONV 2 3x3 s2 p1:0 -> PAD p0x2:1 -> CONV 2 3x3",
    "a residual": "CONV 2 3x3 -> add\n    | CONV 2 3x3 p1 -> CONV 2 3x3 p1\n    | x",
    "a strided residual": "add\n    | CONV 2 3x3 s2 p1 -> CONV 2 3x3 p1\n    | CONV 2 1x1 s2 floor\nCONV 2 3x3",
    "branches of different widths": "concat\n    | CONV 1 1x7 p0x3\n    | CONV 1 5x1 p2x0\n    | POOL 3x3 s1 p1\nCONV 2 2x2",  # noqa: E501
    "branches that look to different sides": "concat\n    | CONV 1 5x5 p4:0\n    | CONV 1 5x5 p0:4\nCONV 2 3x3",
    "branches inside branches": "add\n    | CONV 2 3x3 p1\n      add\n          | CONV 2 5x5 p2\n          | x\n    | x\nCONV 2 3x3 s2 floor",  # noqa: E501
    "an upconv": "CONV 2 3x3 -> UPCONV 2 2x2 s2 -> CONV 2 3x3",
    "an upconv whose windows overlap": "UPCONV 2 4x3 s2 p1 -> CONV 2 3x3 -> UPCONV 2 5x5 s3",
    "an upconv behind strides": "CONV 2 2x2 s2 -> CONV 2 3x3 s2 p1 -> UPCONV 2 4x4 s2 p1 -> UPCONV 2 2x2 s2",
    "an upconv that a stride undoes": "UPCONV 2 2x2 s2 -> POOL 2x2 s2 -> CONV 2 3x3",
    "an upconv with holes": "CONV 2 3x3 -> UPCONV 2 1x1 s2 -> CONV 2 3x3 -> CONV 2 2x2 s2 floor",
    "nearest upsampling": "CONV 2 3x3 s2 p1 -> UPSAMPLE 2 -> CONV 2 3x3 -> UPSAMPLE 3 -> CONV 2 3x3 s2 floor",
    "bilinear upsampling": "POOL 2x2 s2 -> UPSAMPLE 2 bilinear -> CONV 2 3x3 p1 -> UPSAMPLE 3 bilinear",
    "a u": "CONV 2 3x3 p1 -> concat\n    | x\n    | POOL 2x2 s2 -> CONV 2 3x3 p1 -> concat\n"
    "          | x\n          | POOL 2x2 s2 -> CONV 2 3x3 p1 -> UPCONV 2 2x2 s2\n"
    "      CONV 2 3x3 p1 -> UPCONV 2 2x2 s2\nCONV 2 3x3 p1",
    "space to depth": "CONV 2 3x3 p1 -> SPACE2DEPTH 2 -> CONV 2 3x3 p1 -> SPACE2DEPTH 3 -> CONV 2 1x1",
    "shifts": "CONV 4 3x3 p1 -> SHIFT -> SHIFT -> CONV 4 2x2 s2 -> SHIFT",
    "windows": "CONV 2 4x4 s4 -> MHSA 1 window=4 -> CONV 2 1x1",
    "shifted windows": "CONV 2 2x2 s2 -> MHSA 1 window=6 -> MHSA 1 window=6 shift=3 -> SPACE2DEPTH 2 -> MHSA 1 window=3",  # noqa: E501
    "windows behind a convolution": "MHSA 1 window=8 shift=2 -> CONV 2 3x3 s2 p1 -> UPCONV 2 2x2 s2",
    "what acts on each pixel": "CONV 2 3x3 -> BN -> RELU -> LN -> SCALE 0.1 -> NORM -> GELU -> POSEMBED -> CONV 2 3x3",
}


@pytest.mark.parametrize("name", NETS)
def test_the_field_is_what_gradients_reach(name: str) -> None:
    graph, field = fields(f"[144x192x2] INPUT\n{NETS[name]}")
    assert field == probed(graph)


GLOBAL = {
    "a mean": "GAP",
    "a flattened map": "FC 3",
    "what follows them": "GAP -> FC 4 -> RELU -> FC 2",
    "attention": "TOKENS -> MHSA 1 -> TAKE 3",
    "group normalisation": "GN 1 -> CONV 2 3x3",
}


@pytest.mark.parametrize("name", GLOBAL)
def test_a_global_layer_sees_the_field_of_the_whole_map(name: str) -> None:
    """The 12x12 map covers its 24x24 pixels, of which each outermost output sees one beyond the edge."""
    graph, field = fields(f"[24x24x2] INPUT\nCONV 2 3x3 s2 p1:0 -> {GLOBAL[name]}")
    assert field == (25, 25)
    torch.manual_seed(0)
    image = torch.rand(1, 2, 24, 24, dtype=torch.float64, requires_grad=True)
    output = run(graph, image)
    middle = output[0]
    for size in output.shape[2:]:
        middle = middle[:, size // 2]
    (gradient,) = torch.autograd.grad(middle.square().sum(), image)
    assert (gradient.abs().amax((0, 1)) > 0).all()


SEVEN = "[8x8x3] INPUT\nCONV 4 3x3 p1\n{}6 x CONV 4 3x3 p1\n"
SQUEEZE = "mul\n    | x\n    | GAP -> FC 2 -> RELU -> FC 4 -> SIGMOID\n"


def test_a_branch_with_a_global_layer_does_not_shrink_the_field() -> None:
    plain, squeezed = (archspec.loads(SEVEN.format(branch)) for branch in ("", SQUEEZE))
    assert plain.receptive_field == squeezed.receptive_field == (15, 15)
    flags = {row.node.name: (row.field.is_global, row.field.is_partial) for row in squeezed.layers}
    assert flags["conv1"] == (False, False)
    assert flags["gap1"] == flags["fc1"] == flags["sigmoid1"] == (True, False)
    assert flags["mul1"] == flags["conv7"] == (True, True)
    assert [row["global"] for row in squeezed.to_dict()["layers"]].count(True) == len(squeezed.layers) - 2
    assert "  15+  pixels, of the last map; +: through a global layer, the whole map" in str(squeezed)
    assert not plain.to_dict()["global"]


@pytest.mark.parametrize("branch", ["MHSA 1 window=12", "GAP -> FC 2 -> SIGMOID"])
def test_the_paths_without_a_global_layer_count(branch: str) -> None:
    merge = "add" if "MHSA" in branch else "mul"
    graph, field = fields(f"[24x24x2] INPUT\nCONV 2 3x3 s2 p1:0\n{merge}\n    | CONV 2 3x3 p1\n    | {branch}")
    assert field == (7, 7)
    assert receptive_fields(graph)[graph.output].is_global


# ---- random networks
KEEPS_SIZE = (
    "x",
    "CONV 4 3x3 same",
    "CONV 4 1x5 same d2",
    "POOL 3x3 s1 p1",
    "CONV 4 2x2 p0:1",
    "SHIFT",
    "POOL 2x2 s2 -> CONV 4 3x3 same -> UPCONV 4 2x2 s2",
    "UPSAMPLE 2 -> POOL 2x2 s2",
    "CONV 4 3x3 same -> CONV 4 5x5 same",
    "MHSA 1 window=4 shift=1",
)
HALVES = (
    "CONV 4 3x3 s2 p1",
    "CONV 4 1x1 s2",
    "POOL 2x2 s2",
    "SPACE2DEPTH 2 -> CONV 4 1x1",
    "AVGPOOL 2x2 s2 -> CONV 4 3x3 same",
    "CONV 4 5x5 s2 p2",
)
numbers = st.integers


@st.composite
def windows(draw: st.DrawFn) -> str:
    high, wide, stride = draw(numbers(1, 4)), draw(numbers(1, 4)), draw(numbers(1, 3))
    begin, dilation = draw(numbers(0, 2)), draw(numbers(1, 2))
    end = draw(numbers(0, min(2, high - 1, wide - 1)))
    return f"CONV 4 {high}x{wide} s{stride} p{begin}:{end} d{dilation} floor"


@st.composite
def enlargements(draw: st.DrawFn) -> str:
    factor = draw(numbers(1, 3))
    kernel = draw(numbers(factor, 5))
    pad = draw(numbers(0, kernel // 2))
    forms = (f"UPCONV 4 {kernel}x{kernel} s{factor} p{pad}", f"UPSAMPLE {factor}", f"UPSAMPLE {factor} bilinear")
    return draw(st.sampled_from(forms))


@st.composite
def branches(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from((KEEPS_SIZE, HALVES)))
    lines = draw(st.lists(st.sampled_from(kind), min_size=2, max_size=3))
    return "\n".join([draw(st.sampled_from(("add", "concat"))), *(f"    | {line}" for line in lines)])


steps = st.one_of(windows(), enlargements(), branches())


networks = st.lists(steps, min_size=1, max_size=4)


@settings(max_examples=30, deadline=None)
@given(networks)
def test_the_field_of_a_random_network_is_what_gradients_reach(lines: list[str]) -> None:
    the_field_is_what_gradients_reach(lines)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(networks)
def test_the_field_of_400_random_networks_is_what_gradients_reach(lines: list[str]) -> None:
    the_field_is_what_gradients_reach(lines)


def the_field_is_what_gradients_reach(lines: list[str]) -> None:
    graph = graph_of("\n".join(["[128x128x4] INPUT", *(f"CONV 4 1x1 -> {line}" for line in lines)]))
    assume(graph is not None)
    assert graph is not None
    assume(max(node.volume.values for node in graph.nodes) < 2**19)
    expected = probed(graph)
    assume(expected is not None)
    assert receptive_fields(graph)[graph.output].size == expected


# ---- the canon, and long networks
VGG16 = "POOL2".join("CONV3-8 -> " * count for count in (2, 2, 3, 3, 3)).replace("POOL2C", "POOL2 -> C") + "POOL2"
BOTTLENECKS = """
block unit(stride)
    add
        | CONV 4 1x1 -> CONV 4 3x3 p1 stride=stride -> CONV 4 1x1
        | CONV 4 1x1 stride=stride
block stage(n, stride)
    unit(stride)
    (n-1) x unit(1)
[224x224x3] INPUT
CONV 4 7x7 s2 p3
MAXPOOL 3x3 s2 p1
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[224x224x3] INPUT\n{VGG16}", 212),
        (BOTTLENECKS + "stage(3, 1) -> stage(4, 2) -> stage(6, 2) -> stage(3, 2)", 427),
        (BOTTLENECKS + "stage(3, 1) -> stage(8, 2) -> stage(36, 2) -> stage(3, 2)", 1451),
    ],
    ids=["VGG-16", "ResNet-50", "ResNet-152"],
)
def test_the_canon_has_its_known_fields(text: str, expected: int) -> None:
    graph, field = fields(text + " -> GAP -> FC 10")
    last = last_map(graph)
    assert last is not None
    assert receptive_fields(graph)[last.index].size == (expected, expected)
    assert min(field) > 224


def chain(length: int) -> Graph:
    span, volume = Span(Source("chain.arch", ""), 0, 0), Volume((32, 32, 8))
    layers = [Input(), *[Conv((3, 3), (1, 1), ((1, 1), (1, 1)), filters=8)] * length]
    nodes = [Node(i, f"n{i}", layer, (i - 1,) if i else (), volume, None, span) for i, layer in enumerate(layers)]
    return Graph("chain", tuple(nodes), (Output(nodes[length].name, length),))


def test_a_chain_of_30_000_layers_takes_a_moment() -> None:
    graph = chain(30_000)
    begin = time.process_time()
    assert receptive_fields(graph)[-1].size == (60_001, 60_001)
    assert time.process_time() - begin < 1.5  # it takes 0.3; a slow machine has room


def test_a_long_period_counts_as_global() -> None:
    _, field = fields("[8x8x1] INPUT\nUPSAMPLE 40 -> CONV 1 3x3 s3 floor -> UPSAMPLE 41 -> CONV 1 3x3 p1")
    assert field == (8, 8)


def test_where_paths_of_different_strides_meet_the_larger_stride_counts() -> None:
    """Both paths leave one pixel of nine; a window of 3 around it reaches a step of 2 to both sides."""
    network = archspec.loads("[3x3x1] INPUT\nadd\n    | CONV 1 3x3\n    | CONV 1 3x3 s2\nCONV 1 3x3 p1\n")
    assert network.receptive_field == (7, 7)
