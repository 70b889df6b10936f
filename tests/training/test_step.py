"""A step: what is done to its images, and how its gradients change the weights."""

import math
import random
import warnings

import pytest
import torch
from torch import nn

import archspec
from archspec.compiler import build
from archspec.compiler.data.augmentation.erasing import cut_out
from archspec.compiler.training.loop.update import WeightUpdate, clip, nonfinite, total_norm
from archspec.compiler.training.parallel import engine as engines
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.parallel.processes import Group
from archspec.recipe import Recipe

SPEC = "[4x4x1] INPUT\nCONV 2 3x3 -> FC 3\n"


def change(clipped_to: float, scale: float) -> torch.Tensor:
    """The change of all weights by one step of plain SGD at a rate of 1, whose gradients are `scale` x 1, 2, 3, ..."""
    network = archspec.loads(SPEC)
    recipe = Recipe(clip=clipped_to, momentum=0.0, weight_decay=0.0)
    made = engine(network.graph, build(network, seed=0), recipe, Group(0, 1, torch.device("cpu")))
    update = WeightUpdate(made)
    before = torch.cat([one.detach().flatten() for one in made.module.parameters()])
    update.begin()
    for one in made.module.parameters():
        one.grad = scale * torch.arange(1.0, one.numel() + 1).view_as(one)
    assert update.apply(torch.tensor(1.0), 1.0)
    return before - torch.cat([one.detach().flatten() for one in made.module.parameters()])


def test_gradients_larger_than_the_clip_are_scaled_to_it() -> None:
    whole, clipped = change(0.0, 1.0), change(0.5, 1.0)
    assert clipped.norm().item() == pytest.approx(0.5, rel=1e-4)
    torch.testing.assert_close(clipped, 0.5 * whole / whole.norm(), rtol=1e-3, atol=1e-5)


def test_gradients_smaller_than_the_clip_stay_as_they_are() -> None:
    assert change(0.0, 1e-3).norm() < 0.5
    assert torch.equal(change(0.5, 1e-3), change(0.0, 1e-3))


def test_clipping_is_that_of_torch() -> None:
    for most in (0.1, 100.0):
        parameters = [torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(2, 2))]
        for one in parameters:
            one.grad = torch.arange(1.0, one.numel() + 1).view_as(one)
        ours = [one.grad.clone() for one in parameters if one.grad is not None]
        clip(ours, total_norm(ours), most)
        torch.nn.utils.clip_grad_norm_(parameters, most)
        torch.testing.assert_close(ours, [one.grad for one in parameters])


def test_the_squares_of_cutout_are_centred_on_pixels_of_the_image() -> None:
    """Each pixel is equally likely to be a centre, so a square of 7 covers row r for centres from r - 3 to r + 3."""
    side, count = 16, 4000
    images = torch.ones(count, 1, side, side)
    cut_out(images, 7 / side, [random.Random(seed) for seed in range(count)])
    blank = images[:, 0] == 0
    expected = torch.tensor([len(range(max(0, row - 3), min(side, row + 4))) / side for row in range(side)])
    for along in (1, 2):  # columns, rows
        torch.testing.assert_close(blank.any(along).float().mean(0), expected, rtol=0, atol=0.04)


def test_only_the_warning_about_strides_is_silenced_in_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "DistributedDataParallel", lambda module: module)
    with warnings.catch_warnings():
        engines.replicated(nn.Identity())
        warnings.warn("Grad strides do not match bucket view strides. This may", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("another one", UserWarning, stacklevel=1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_found_in_any_tensor_and_the_others_stay(bad: float) -> None:
    shapes: tuple[tuple[int, ...], ...] = ((5, 3), (2, 2, 2, 2), (7,), ())
    values = [torch.randn(shape) for shape in shapes]
    values[1] = values[1].contiguous(memory_format=torch.channels_last)
    before = [one.clone() for one in values]
    assert not nonfinite(values)
    assert all(torch.equal(one, other) for one, other in zip(values, before, strict=True))
    for number in range(len(values)):
        spoilt = [one.clone() for one in values]
        spoilt[number].fill_(bad)
        assert nonfinite(spoilt) == 1


@pytest.mark.parametrize(("clipped_to", "most"), [(0.0, 1), (1.0, 40)])
def test_the_check_for_finite_numbers_takes_few_operations(clipped_to: float, most: int) -> None:
    """Without clipping no norm is needed, and one operation reads all gradients; LeNet-5 has ten of them."""
    network = archspec.load("lenet5", classes=10)
    made = engine(network.graph, build(network, seed=0), Recipe(clip=clipped_to), Group(0, 1, torch.device("cpu")))
    update = WeightUpdate(made)
    for one in made.module.parameters():
        one.grad = torch.ones_like(one)
    update.apply(torch.tensor(1.0), 0.1)
    with torch.profiler.profile() as seen:
        update.apply(torch.tensor(1.0), 0.1)
    counts = {one.key: one.count for one in seen.key_averages()}
    checks = ("aten::linalg_vector_norm", "aten::_foreach_norm", "aten::_amp_foreach_non_finite_check_and_unscale_")
    assert 1 <= sum(counts.get(name, 0) for name in checks) <= most
