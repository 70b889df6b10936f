"""The parts of training: splits and orders of images, what is decayed, rates."""

import pytest
import torch

from archspec.compiler.data.dataset import InOrder, Shuffled, stratified
from archspec.compiler.data.digits import digits
from archspec.compiler.training.loop.optimizer import optimiser
from archspec.compiler.training.loop.schedule import Plateau, rate
from archspec.graph.volume import Volume
from archspec.recipe import Recipe


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_held_out_image_counts_once_on_any_number_of_processes(processes: int) -> None:
    keys = [key for rank in range(processes) for key in InOrder(101, rank, processes)]
    assert sorted(place for place, _ in keys) == list(range(101))


def test_an_epoch_shows_each_image_once_in_a_new_order() -> None:
    orders = []
    for epoch in (0, 1):
        parts = [Shuffled(100, 3, rank, 2) for rank in range(2)]
        for part in parts:
            part.epoch = epoch
        orders.append([place for part in parts for place, _ in part])
        assert sorted(orders[-1]) == list(range(100))
    assert orders[0] != orders[1]


@pytest.mark.parametrize("seed", [0, 20260101, 2**31])
def test_shifts_and_order_of_digits_depend_only_on_the_seed(seed: int) -> None:
    data = digits(Volume((8, 8, 1)), seed)
    order = Shuffled(len(data.train), seed, 0, 1)
    order.epoch = 10**6
    keys = list(order)[:50]
    assert keys == list(order)[:50]
    assert len({key for _, key in keys}) == 50
    one, again = (data.train.__getitems__(keys).images for _ in range(2))
    assert torch.equal(one, again)


def test_held_out_images_cover_every_class_and_are_not_trained_on() -> None:
    classes = torch.tensor([0] * 50 + [1] * 30 + [2] * 3)
    kept, out = stratified(classes, 0.1, seed=0)
    assert sorted(torch.cat([kept, out]).tolist()) == list(range(83))
    assert torch.bincount(classes[out]).tolist() == [5, 3, 1]


def test_biases_and_norms_are_not_decayed() -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    decayed, others = optimiser(module.parameters(), Recipe(weight_decay=0.1)).param_groups
    assert [one.dim() for one in decayed["params"]] == [4]
    assert (decayed["weight_decay"], others["weight_decay"], len(others["params"])) == (0.1, 0.0, 3)


def test_rmsprop_divides_by_the_root_of_squares_and_eps() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    recipe = Recipe(optimizer="rmsprop", lr=0.1, momentum=0.0, beta2=0.9, eps=1.0, weight_decay=0.0)
    weight.grad = torch.full_like(weight, 0.01)  # of small gradients eps alone is left
    optimiser([weight], recipe).step()
    assert torch.allclose(weight, torch.tensor(1 - 0.1 * 0.01), atol=1e-5)
    (group,) = optimiser([weight], Recipe(optimizer="rmsprop", eps=1e-4)).param_groups
    assert group["eps"] == pytest.approx(0.01)


def test_rates_warm_up_and_fall() -> None:
    recipe = Recipe(epochs=90, warmup=5, schedule="step", milestones=(30, 60, 80))
    rates = [rate(recipe, epoch) for epoch in (0, 2.5, 10, 40, 70, 85)]
    assert rates == pytest.approx([0.002, 0.501, 1, 0.1, 0.01, 0.001], rel=0.02)
    cosine = [rate(Recipe(epochs=10, warmup=0), epoch) for epoch in (0, 5, 10)]
    assert cosine == pytest.approx([1, 0.5, 0])


def test_a_plateau_divides_the_rate() -> None:
    plateau = Plateau(Recipe())
    for _ in range(8):
        plateau.see(1.0)
    assert plateau.factor == pytest.approx(0.1)


def test_the_learning_rate_scales_with_the_batch() -> None:
    assert Recipe(lr=0.1, batch=256, accumulate=2, reference_batch=256).scaled_lr(2) == pytest.approx(0.4)


def test_a_step_schedule_drops_at_the_epoch_itself() -> None:
    recipe = Recipe(epochs=90, warmup=0.0, schedule="step", milestones=(30, 60, 80))
    assert [rate(recipe, epoch) for epoch in (29.99, 30, 60, 80)] == pytest.approx([1, 0.1, 0.01, 0.001])


def test_a_plateau_is_longer_than_its_patience() -> None:
    plateau = Plateau(Recipe(patience=2, factor=0.5))
    factors = []
    for loss in (1.0, 1.0, 1.0, 1.0, 1.0):
        plateau.see(loss)
        factors.append(plateau.factor)
    assert factors == [1, 1, 1, 0.5, 0.5]
