"""First weights: as the papers say, and decided by the seed alone."""

from pathlib import Path

import pytest
import torch

import archspec
from archspec.compiler import build
from archspec.compiler.lowering.initialise import settle

# He's variance is 2 by the inputs of a value, Glorot's 2 by its inputs and outputs
FIRST_WEIGHTS = [
    ("CONV 128 3x3 p1 -> BN -> RELU", "conv1.weight", 2 / (64 * 9)),
    ("CONV 128 3x3 s2 p1 g4 -> GELU", "conv1.weight", 2 / (16 * 9)),
    ("CONV 128 3x3 p1 -> MAXPOOL 2x2 s2 -> RELU", "conv1.weight", 2 / (64 * 9)),
    ("add\n    | CONV 64 3x3 p1 -> BN\n    | x\nRELU", "conv1.weight", 2 / (64 * 9)),
    ("concat\n    | CONV 64 3x3 p1\n    | x\nBN -> RELU", "conv1.weight", 2 / (64 * 9)),
    ("mul\n    | CONV 64 3x3 p1 -> BN\n    | GAP -> FC 64 -> SIGMOID\nRELU", "conv1.weight", 2 / (64 * 9)),
    ("UPCONV 128 2x2 s2 -> RELU", "upconv1.weight", 2 / 64),
    ("FC 128 -> RELU", "fc1.weight", 2 / (8 * 8 * 64)),
    ("CONV 128 3x3 p1 -> TANH", "conv1.weight", 2 / (64 * 9 + 128 * 9)),
    ("CONV 128 1x1 -> CONV 64 1x1 -> RELU", "conv1.weight", 2 / (64 + 128)),
    ("TOKENS -> MHSA 4 -> RELU", "mhsa1.qkv.weight", 2 / (64 + 64)),  # three matrices of 64x64
    ("TOKENS -> MHSA 4", "mhsa1.proj.weight", 2 / (64 + 64)),
    ("FC 128", "fc1.weight", 2 / (8 * 8 * 64 + 128)),
    ("POSEMBED", "posembed1.weight", 0.02**2),
    ("MHSA 64 window=8 relpos", "mhsa1.relative_position_bias_table", 0.02**2),
]


@pytest.mark.parametrize(("steps", "name", "variance"), FIRST_WEIGHTS)
def test_first_weights_have_the_papers_variance(steps: str, name: str, variance: float) -> None:
    module = build(archspec.loads(f"[8x8x64] INPUT\n{steps}\n"), seed=0)
    weight = module.get_parameter(name)
    assert weight.var().item() == pytest.approx(variance, rel=0.06)
    assert not any(bias.any() for key, bias in module.named_parameters() if key.endswith("bias"))


# as a matrix, a row for each value of the output and a column for each of the input, without borders
WINDOWS = ("CONV 64 4x4 s4", "CONV 64 2x2 s2 g4", "CONV 128 1x1 g8", "DWCONV 4x4 s4", "FC 60", "UPCONV 32 2x2 s2")


@pytest.mark.parametrize("step", WINDOWS)
def test_glorots_fans_are_those_of_the_matrix_that_a_layer_stands_for(step: str) -> None:
    module = build(archspec.loads(f"[8x8x64] INPUT\n{step}\n"), seed=0)
    weight = next(value for name, value in module.named_parameters() if name.endswith("weight"))
    deviation = weight.std().item()
    with torch.no_grad():
        weight.fill_(1)
    inputs = torch.zeros(1, 64, 8, 8, requires_grad=True)
    outputs = module(inputs)
    (products,) = torch.autograd.grad(outputs.sum(), inputs)  # of each input value
    fan_out, fan_in = products.mean().item(), products.sum().item() / outputs.numel()
    assert deviation == pytest.approx((2 / (fan_in + fan_out)) ** 0.5, rel=0.06)


def test_without_stride_and_groups_glorots_weights_are_torchs_own() -> None:
    module = build(archspec.loads("[8x8x6] INPUT\nCONV 5 3x3 p1 -> TANH -> FC 7\n"), seed=3)
    generator = torch.Generator().manual_seed(3)
    for name, shape in (("conv1.weight", (5, 6, 3, 3)), ("fc1.weight", (7, 320))):
        expected = torch.nn.init.xavier_uniform_(torch.empty(shape), generator=generator)
        assert module.get_parameter(name).equal(expected)


# steps, and what the step says of each tensor: its deviation, and its mean
STATED = [
    ("CONV 64 3x3 p1 init=0.02 bias_init=-1.5 -> RELU", {"conv1.weight": (0.02, 0), "conv1.bias": (0, -1.5)}),
    ("DWCONV 7x7 p3 init=0.1 bias_init=0", {"dwconv1.weight": (0.1, 0), "dwconv1.bias": (0, 0)}),
    ("UPCONV 64 2x2 s2 init=3", {"upconv1.weight": (3, 0)}),
    ("FC 10 init=0 bias_init=1", {"fc1.weight": (0, 0), "fc1.bias": (0, 1)}),
    ("FC 10 bias_init=1 -> BN init=0", {"fc1.bias": (0, 1), "bn1.weight": (0, 0), "bn1.bias": (0, 0)}),
    ("LN init=0.5 -> GN 4 init=2", {"ln1.weight": (0, 0.5), "gn1.weight": (0, 2)}),
    ("IN affine init=0 -> AFFINE init=-1", {"in1.weight": (0, 0), "affine1.weight": (0, -1)}),
    ("TOKENS -> MHSA 4 init=0.01", {"mhsa1.qkv.weight": (0.01, 0), "mhsa1.proj.weight": (0.01, 0)}),
    ("MHSA 4 window=4 relpos init=0", {"mhsa1.qkv.weight": (0, 0), "mhsa1.relative_position_bias_table": (0.02, 0)}),
    ("TOKENS -> CLS init=0 -> POSEMBED init=0.5", {"cls1.weight": (0, 0), "posembed1.weight": (0.5, 0)}),
]


@pytest.mark.parametrize(("steps", "stated"), STATED)
def test_a_step_states_its_first_weights(steps: str, stated: dict[str, tuple[float, float]]) -> None:
    network = archspec.loads(f"[8x8x64] INPUT\n{steps}\n")
    module = build(network, seed=0)
    for name, (deviation, mean) in stated.items():
        tensor = module.get_parameter(name)
        assert tensor.std().item() == pytest.approx(deviation, rel=0.1)
        assert tensor.mean().item() == pytest.approx(mean, abs=0.15 * deviation)


def test_without_follow_init_first_weights_are_those_of_the_same_steps_without_them() -> None:
    text = "[4x4x8] INPUT\nCONV 8 1x1{} -> GN 2{} -> RELU -> FC 3{}\n"
    stated = archspec.loads("init GN: 0\n" + text.format(" init=0 bias_init=2", " init=3", " init=1"))
    module, plain = build(stated, seed=1, follow_init=False), build(archspec.loads(text.format("", "", "")), seed=1)
    assert all(map(torch.equal, module.parameters(), plain.parameters()))
    assert not any(map(torch.equal, build(stated, seed=1).parameters(), list(plain.parameters())[:3]))


LINES = """\
use parts: pair
param scale = 2
init FC CONV: 0.01*scale
init BN: 0
[4x4x8] INPUT
CONV 64 3x3 p1 -> BN -> RELU
pair()
FC 100 -> RELU -> FC 100 init=0.5
"""


def test_an_init_line_is_of_the_layers_written_in_its_file_and_a_step_wins(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("init CONV: 0.3\n\nblock pair()\n    CONV 64 3x3 p1 -> BN -> FC 100 -> RELU\n")
    (tmp_path / "whole.arch").write_text(LINES)
    network = archspec.load(tmp_path / "whole.arch", set={"scale": 4})
    found = {name: value.std().item() for name, value in build(network, seed=0).named_parameters() if "weight" in name}
    he = (2 / 1024) ** 0.5
    expected = {"conv1": 0.04, "pair1.conv1": 0.3, "pair1.fc1": he, "fc1": 0.04, "fc2": 0.5, "bn1": 0, "pair1.bn1": 0}
    assert found == {f"{name}.weight": pytest.approx(value, rel=0.1) for name, value in expected.items()}
    assert build(network, seed=0).get_parameter("bn1.weight").eq(0).all()
    assert build(network, seed=0).get_parameter("pair1.bn1.weight").eq(1).all()


def test_an_init_line_is_of_what_after_adds() -> None:
    network = archspec.loads("after CONV: BN -> RELU\ninit BN: 0\n[4x4x8] INPUT\nCONV 4 1x1\nFC 3\n")
    assert build(network).get_parameter("bn1.weight").eq(0).all()


def test_first_values_change_neither_names_nor_costs() -> None:
    text = "[4x4x8] INPUT\nCONV 8 1x1{} -> GN 2{} -> RELU -> FC 3{}\n"
    plain, stated = (archspec.loads(text.format(*given)) for given in (("", "", ""), (" init=1", " init=0", " init=0")))
    assert (plain.params, plain.macs) == (stated.params, stated.macs)
    assert [node.name for node in plain.graph.nodes] == [node.name for node in stated.graph.nodes]


def streams(network: archspec.Network) -> dict[str, float]:
    """The deviation before each normalisation, of normal images at seed 0."""
    module = build(network, seed=0)
    found: dict[str, float] = {}
    for node in network.graph.nodes:
        if node.layer.role == "normalisation":
            part = module.get_submodule(node.name)
            part.register_forward_pre_hook(lambda _, given, name=node.name: found.update({name: given[0].std().item()}))
    with torch.no_grad():
        module.eval()(torch.randn(2, *network.input.laid_out, generator=torch.Generator().manual_seed(0)))
    return found


def test_vits_patches_start_as_its_authors_and_its_stream_at_one() -> None:
    network = archspec.load("vit", input="64x64x3", set={"depth": 2})
    module = build(network, seed=0)
    assert module.get_parameter("conv1.weight").std().item() == pytest.approx(768**-0.5, rel=0.01)  # LeCun's, 0.036
    assert module.get_parameter("encoder1.mhsa1.qkv.weight").std().item() == pytest.approx(768**-0.5, rel=0.01)
    assert module.get_parameter("encoder1.fc1.weight").std().item() == pytest.approx((2 / 3840) ** 0.5, rel=0.01)
    assert not module.get_parameter("cls1.weight").any()
    deviations = list(streams(network).values())
    assert deviations[0] == pytest.approx(1, abs=0.05)
    assert max(deviations) < 1.8


@pytest.mark.parametrize("name", ["vit", "mixer"])
def test_a_head_of_zeros_says_nothing_and_learns_first(name: str) -> None:
    network = archspec.load(name, input="32x32x3", set={"depth": 1, "width": 96})
    module = build(network, seed=0)
    scores = module(torch.randn(2, 3, 32, 32))
    assert not scores.any()
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1])).backward()
    learns = {key for key, value in module.named_parameters() if value.grad is not None and value.grad.any()}
    assert learns == {"fc1.weight", "fc1.bias"}


def test_gmlps_units_begin_without_their_gates() -> None:
    module = build(archspec.loads("use gmlp_s16: gmlp\n[9x64] INPUT\n2 x gmlp(256)\nGAP -> FC 3\n"), seed=0)
    gates: list[torch.Tensor] = []
    part = module.get_submodule("gmlp1.gate1.fc1")
    part.register_forward_hook(lambda _module, _given, gate: gates.append(gate))
    module(torch.randn(2, 9, 64))
    assert not gates[0].eq(1).all()
    torch.testing.assert_close(gates[0], torch.ones_like(gates[0]), rtol=0, atol=1e-4)


def test_swins_authors_fill_all_matrices_alike_but_the_patches() -> None:
    network = archspec.load("swin_t")
    module = build(network, seed=0)
    for node in network.graph.nodes:
        if node.layer.is_weight_layer and node.name != "conv1":
            for key, value in module.get_submodule(node.name).named_parameters():
                rough = 0.2 if "table" in key else 0.05  # tables are small
                assert value.std().item() == pytest.approx(0 if key.endswith("bias") else 0.02, rel=rough)
    own = torch.nn.Conv2d(3, 96, 4)  # which they leave as torch fills it
    assert module.get_parameter("conv1.weight").std().item() == pytest.approx(own.weight.std().item(), rel=0.05)


def test_a_seed_decides_all_first_weights() -> None:
    network = archspec.load("lenet5")
    first, second, other = build(network, seed=3), build(network, seed=3), build(network, seed=4)
    assert all(map(torch.equal, first.parameters(), second.parameters()))
    assert not torch.equal(first.get_parameter("conv1.weight"), other.get_parameter("conv1.weight"))


def test_a_seed_leaves_torchs_generator_alone() -> None:
    before = torch.get_rng_state()
    build(archspec.load("lenet5"), seed=0)
    assert torch.equal(torch.get_rng_state(), before)


DEEP = """\
block unit()
    add
        | CONV 8 3x3 p1 -> BN -> RELU -> DROPOUT 0.5 -> CONV 8 3x3 p1 -> BN
        | x
    RELU

[8x8x8] INPUT
100 x unit()
GAP -> FC 5
"""


def test_settled_statistics_keep_a_deep_untrained_network_in_scale() -> None:
    network = archspec.loads(DEEP)
    module, again = build(network, seed=0).eval(), build(network, seed=0)
    images = torch.randn(2, 8, 8, 8)
    assert module(images).abs().max() > 1e8
    before = torch.get_rng_state()
    settle(module, network.graph, seed=0)
    settle(again, network.graph, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training for part in module.modules())
    assert module(images).abs().max() < 1e3
    assert all(map(torch.equal, module.state_dict().values(), again.state_dict().values()))
    assert {part.momentum for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)} == {0.1}


def test_a_settled_deep_network_without_shortcuts_computes_more_than_rounding_errors() -> None:
    network = archspec.load("plain56")
    module = build(network, seed=0)
    settle(module, network.graph, seed=0)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        single = module(images)
        exact = module.double()(images.double())
    assert (single - exact).abs().max() < 4e-4 * exact.abs().max()  # batch means taken off leave 1e-3


def test_a_settled_norm_has_the_mean_square_of_its_input_as_variance() -> None:
    network = archspec.loads("[6x5x3] INPUT\nBN -> FC 2\n")
    module = build(network, seed=0)
    settle(module, network.graph, seed=7)
    images = torch.randn(4, 3, 6, 5, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(module.get_buffer("bn1.running_var"), images.square().mean((0, 2, 3)))
    assert not module.get_buffer("bn1.running_mean").any()


def test_a_deviation_may_be_computed_from_the_depth() -> None:
    text = "param depth = 8\n\n[64] INPUT\nFC 512 init=0.02/sqrt(2*depth) -> RELU -> FC 64\n"
    weight = build(archspec.loads(text), seed=0).get_parameter("fc1.weight")
    assert weight.std().item() == pytest.approx(0.02 / 4, rel=0.02)
