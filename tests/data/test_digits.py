"""The bundled digits: what is held out, and how they are shifted for training."""

import pytest
import torch
from torch.nn import functional

from archspec.compiler.data.digits import Digits, digits, scaled
from archspec.graph.volume import Volume


def test_training_digits_are_shifted_by_up_to_a_sixteenth_in_every_direction() -> None:
    images = scaled(Volume((32, 32, 1)))[0][:1]
    part = Digits(images, torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long))
    padded = functional.pad(images[0], (2, 2, 2, 2))
    shifts = {(down, right): padded[:, down : down + 32, right : right + 32] for down in range(5) for right in range(5)}
    seen = set()
    for seed in range(0, 400_000, 997):
        shown = part.__getitems__([(0, seed)]).images[0]
        seen.add(next(shift for shift, image in shifts.items() if torch.equal(image, shown)))
    assert seen == set(shifts)
    assert torch.equal(part.__getitems__([(0, -1)]).images[0], images[0])


def test_a_fifth_of_each_class_is_held_out_and_the_statistics_are_of_the_rest() -> None:
    data = digits(Volume((8, 8, 3)), 4)
    assert isinstance(data.train, Digits)
    counts = [torch.bincount(part.classes) for part in (data.train, data.held_out)]
    assert torch.equal(counts[1], (counts[0] + counts[1]).mul(0.2).round().long())
    pixels = data.train.images[:, 0].float() / 255
    assert data.mean == pytest.approx((pixels.mean().item(),) * 3, rel=1e-4)
    assert data.std == pytest.approx((pixels.std().item(),) * 3, rel=1e-4)
