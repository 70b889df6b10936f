"""First weights: as the papers say, and decided by the seed alone."""

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
    ("UPCONV 128 2x2 s2 -> RELU", "upconv1.weight", 2 / 64),
    ("FC 128 -> RELU", "fc1.weight", 2 / (8 * 8 * 64)),
    ("CONV 128 3x3 p1 -> TANH", "conv1.weight", 2 / (64 * 9 + 128 * 9)),
    ("CONV 128 1x1 -> CONV 64 1x1 -> RELU", "conv1.weight", 2 / (64 + 128)),
    ("TOKENS -> MHSA 4 -> RELU", "mhsa1.qkv.weight", 2 / (64 + 192)),
    ("FC 128", "fc1.weight", 2 / (8 * 8 * 64 + 128)),
    ("POSEMBED", "posembed1.weight", 0.02**2 * 0.7737),  # a normal, cut at twice its deviation
]


@pytest.mark.parametrize(("steps", "name", "variance"), FIRST_WEIGHTS)
def test_first_weights_have_the_papers_variance(steps: str, name: str, variance: float) -> None:
    module = build(archspec.loads(f"[8x8x64] INPUT\n{steps}\n"), seed=0)
    weight = module.get_parameter(name)
    assert weight.var().item() == pytest.approx(variance, rel=0.06)
    assert not any(bias.any() for key, bias in module.named_parameters() if key.endswith("bias"))


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
    settle(module, network.input, seed=0)
    settle(again, network.input, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training for part in module.modules())
    assert module(images).abs().max() < 1e3
    assert all(map(torch.equal, module.state_dict().values(), again.state_dict().values()))
    assert {part.momentum for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)} == {0.1}


def test_a_settled_deep_network_without_shortcuts_computes_more_than_rounding_errors() -> None:
    network = archspec.load("plain56")
    module = build(network, seed=0)
    settle(module, network.input, seed=0)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        single = module(images)
        exact = module.double()(images.double())
    assert (single - exact).abs().max() < 4e-4 * exact.abs().max()  # batch means taken off leave 1e-3


def test_a_settled_norm_has_the_mean_square_of_its_input_as_variance() -> None:
    network = archspec.loads("[6x5x3] INPUT\nBN -> FC 2\n")
    module = build(network, seed=0)
    settle(module, network.input, seed=7)
    images = torch.randn(4, 3, 6, 5, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(module.get_buffer("bn1.running_var"), images.square().mean((0, 2, 3)))
    assert not module.get_buffer("bn1.running_mean").any()
