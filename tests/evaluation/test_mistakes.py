"""The most confident mistakes, against a plain loop over all images."""

import pytest
import torch

from archspec.compiler.evaluation.mistakes import MOST, ConfidentMistakes, mistakes_of

COUNT, CLASSES = 200, 5


def drawn(confidence: float) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(3)
    scores = confidence * torch.randn(COUNT, CLASSES, generator=chance)
    return scores, torch.randint(CLASSES, (COUNT,), generator=chance)


def by_hand(scores: torch.Tensor, classes: torch.Tensor) -> list[tuple[int, int, int, float]]:
    """Every mistake, the most confident first."""
    found = []
    for place, (own, true) in enumerate(zip(scores.tolist(), classes.tolist(), strict=True)):
        shares = torch.tensor(own, dtype=torch.float64).softmax(0).tolist()
        predicted = shares.index(max(shares))
        if predicted != true:
            found.append((place, true, predicted, shares[predicted]))
    return sorted(found, key=lambda one: -one[3])


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("confidence", [1.0, 12.0])  # at 12 the probabilities of the first are 1 in float32
def test_they_are_those_of_a_plain_loop(processes: int, confidence: float) -> None:
    scores, classes = drawn(confidence)
    rows = []
    for rank in range(processes):
        own = ConfidentMistakes()
        for batch in torch.arange(rank, COUNT, processes).split(7):
            own.add(scores[batch], classes[batch], scores[batch].argmax(1), tuple(batch.tolist()))
        rows.append(own.rows)
    found = mistakes_of(torch.cat(rows))
    expected = by_hand(scores, classes)[:MOST]
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    assert [one.probability for one in found] == pytest.approx([one[3] for one in expected], rel=1e-6)
    assert expected[0][3] > expected[-1][3]


def test_right_images_and_scores_that_are_not_numbers_are_no_mistakes() -> None:
    found = ConfidentMistakes()
    scores = torch.tensor([[9.0, 0.0], [0.0, 9.0], [float("nan"), 0.0]])
    found.add(scores, torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0]), (4, 5, 6))
    (only,) = mistakes_of(found.rows)
    assert only[:3] == (5, 0, 1)
    assert only.probability == pytest.approx(0.99987661)
