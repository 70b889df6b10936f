"""Losses and scores of pixels: torch's cross entropy, IoU by hand, sums that do not depend on the batches."""

import pytest
import torch
from torch.nn import CrossEntropyLoss

from archspec.compiler.data.augmentation.step_images import StepImages
from archspec.compiler.data.dataset import Batch
from archspec.compiler.data.maps.target import MapTarget
from archspec.compiler.evaluation.maps.map_counting import MOST, PixelTally, ShownMaps, guesses_of, shown_maps
from archspec.compiler.evaluation.maps.map_evaluation import MapEvaluation
from archspec.compiler.evaluation.maps.map_tables import map_table, map_totals
from archspec.recipe import Recipe

chance = torch.Generator().manual_seed(0)
SCORES = torch.randn(8, 3, 6, 5, generator=chance)
CLASSES = torch.randint(0, 3, (8, 6, 5), generator=chance)
CLASSES[torch.rand(8, 6, 5, generator=chance) < 0.3] = 255
CLASSES[7] = 255


def parts(batches: list[slice], processes: int = 1, other: int = 0) -> list[MapTarget]:
    """The targets of a step in a process; `other` is what the other processes count."""
    images = torch.zeros(8, 1, 6, 5)
    made = [Batch(images[one], CLASSES[one].to(torch.uint8)) for one in batches]
    step = StepImages(
        Recipe(), lambda batch: (batch.images, batch.classes.long()), 0, processes, lambda count: count + other
    )
    return [target for _, target in step.parts(made, 0) if isinstance(target, MapTarget)]


@pytest.mark.parametrize(("smoothing", "weights"), [(0.0, None), (0.1, None), (0.0, (0.5, 1.0, 2.0))])
def test_the_loss_of_a_batch_is_torchs(smoothing: float, weights: tuple[float, ...] | None) -> None:
    own = None if weights is None else torch.tensor(weights)
    (target,) = parts([slice(0, 8)])
    found = target.loss(SCORES, smoothing, own)
    oracle = CrossEntropyLoss(own, ignore_index=255, label_smoothing=smoothing, reduction="sum")(SCORES, CLASSES)
    assert found == pytest.approx((oracle / (CLASSES != 255).sum()).item())
    if weights is None:
        assert found == pytest.approx(CrossEntropyLoss(ignore_index=255, label_smoothing=smoothing)(SCORES, CLASSES))


def test_the_mean_over_batches_and_processes_is_that_of_all_pixels() -> None:
    oracle = CrossEntropyLoss(ignore_index=255)(SCORES, CLASSES)
    halves, quarters = [slice(0, 4), slice(4, 8)], [slice(2 * place, 2 * place + 2) for place in range(4)]
    for batches in (halves, quarters):
        losses = [target.loss(SCORES[own], 0.0) for own, target in zip(batches, parts(batches), strict=True)]
        assert torch.stack(losses).mean() == pytest.approx(oracle)
    counts = [int((CLASSES[own] != 255).sum()) for own in halves]
    means = [
        torch.stack([one.loss(SCORES[own], 0.0) for own, one in zip(two, parts(two, 2, other), strict=True)]).mean()
        for two, other in ((quarters[:2], counts[1]), (quarters[2:], counts[0]))
    ]
    assert torch.stack(means).mean() == pytest.approx(oracle)


def test_a_step_without_a_pixel_that_counts_has_a_loss_of_zero() -> None:
    (target,) = parts([slice(7, 8)])
    assert target.loss(SCORES[7:], 0.0) == 0
    assert target.seen(SCORES[7:], torch.tensor(0.0)).tolist() == [0, 0, 0]


def test_an_epoch_sums_losses_and_right_pixels_of_those_that_count() -> None:
    seen = sum(
        target.seen(SCORES[own], target.loss(SCORES[own], 0.0))
        for own, target in zip((slice(0, 4), slice(4, 8)), parts([slice(0, 4), slice(4, 8)]), strict=True)
    )
    counted = CLASSES != 255
    total = CrossEntropyLoss(ignore_index=255, reduction="sum")(SCORES, CLASSES).item()
    right = ((SCORES.argmax(1) == CLASSES) & counted).sum().item()
    assert isinstance(seen, torch.Tensor)
    assert seen.tolist() == pytest.approx([total, right, counted.sum().item()])


def test_iou_is_worked_out_by_hand() -> None:
    # 10 pixels: 4 of a (3 right, 1 taken for b), 3 of b (2 right, 1 taken for a), 3 of c (taken for d); none of d or e
    matrix = ((3, 1, 0, 0, 0), (1, 2, 0, 0, 0), (0, 0, 0, 3, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0))
    found = MapEvaluation.of("abcde", matrix, 2)
    assert [one.iou for one in found.classes()] == [3 / 5, 2 / 4, 0, 0, None]
    assert found.mean_iou == pytest.approx((3 / 5 + 2 / 4 + 0 + 0) / 4)  # without e, which is nowhere
    assert (found.accuracy, found.pixels, found.right) == (0.5, 10, 5)
    assert [one.recall for one in found.classes()] == [3 / 4, 2 / 3, 0, None, None]
    assert [one.precision for one in found.classes()] == [3 / 4, 2 / 3, None, 0, None]
    assert map_totals(found) == ["mean IoU        27.50 % of 4 classes; absent: e", "pixel accuracy  50.00 % (5 of 10)"]
    assert map_table(found)[1] == "a           4  40.00 %  60.00 %    75.00 %  75.00 %"
    assert found.to_dict()["classes"][4]["iou"] is None


def test_pixels_are_counted_as_a_loop_does_and_ignored_ones_are_not() -> None:
    tally = PixelTally(3)
    guesses = guesses_of(SCORES)
    for start in (0, 3):
        tally.add(guesses[start : start + 3], CLASSES[start : start + 3])
    expected = [[0] * 3 for _ in range(3)]
    for true, guess in zip(CLASSES[:6].flatten().tolist(), guesses[:6].flatten().tolist(), strict=True):
        if true != 255:
            expected[true][guess] += 1
    assert (tally.counts.tolist(), tally.images) == (expected, 6)


def test_samples_and_the_worst_predictions_are_kept_whatever_the_batches() -> None:
    images = 40
    generator = torch.Generator().manual_seed(1)
    classes = torch.randint(0, 3, (images, 4, 4), generator=generator)
    shares = torch.rand(images, 1, 1, generator=generator)
    guesses = torch.where(torch.rand(images, 4, 4, generator=generator) < shares, classes, 0)
    kept = []
    for size in (40, 7):
        shown = ShownMaps(images, 4, 4)
        for start in range(0, images, size):
            places = tuple(range(start, min(start + size, images)))
            shown.add(guesses[start : start + size], classes[start : start + size], places)
        kept.append(shown_maps(shown.rows, 4, 4))
    assert [one[:3] for one in kept[0]] == [one[:3] for one in kept[1]]
    wrong = (guesses != classes).float().mean((1, 2))
    samples = [one.place for one in kept[0] if one.is_sample]
    assert samples == [place * images // MOST for place in range(MOST)]
    others = [place for place in range(images) if place not in samples]
    worst = sorted(others, key=lambda place: (-wrong[place].item(), place))[:MOST]
    assert [one.place for one in kept[0] if not one.is_sample] == worst
    assert all(torch.equal(one.guesses.long(), guesses[one.place]) for one in kept[0])
