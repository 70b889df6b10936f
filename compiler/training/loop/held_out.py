"""Evaluation on the held-out images after each epoch.

In: the network's engine and the held-out images. Out: their mean loss, what they or their pixels were classified as,
and what a page shows of it. Each image counts once, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from archspec.compiler.data.dataset import Batch, Data, InOrder
from archspec.compiler.data.maps.pairs import Pairs
from archspec.compiler.data.maps.target import pixel_losses
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.counting import Tally, evaluation_of
from archspec.compiler.evaluation.maps.map_counting import PixelTally, ShownMap, ShownMaps, guesses_of, shown_maps
from archspec.compiler.evaluation.maps.map_evaluation import MapEvaluation
from archspec.compiler.evaluation.mistakes import ConfidentMistake, ConfidentMistakes, mistakes_of
from archspec.compiler.training.loop.normalise import Normaliser
from archspec.compiler.training.parallel.engine import Engine
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.parallel.stage_batches import batches_of


class HeldOutResult(NamedTuple):
    """The mean loss of the held-out images, or of their pixels, and how they were classified.

    A page shows `mistakes`, or the predicted `maps`.
    """

    loss: float
    evaluation: Evaluation | MapEvaluation
    mistakes: tuple[ConfidentMistake, ...] = ()
    maps: tuple[ShownMap, ...] = ()


class Scoring(Protocol):
    """What is counted in an evaluation, batch by batch."""

    def add(self, scores: Tensor, classes: Tensor, batch: Batch) -> None:
        """Count a batch."""
        ...

    def result(self, group: Group) -> HeldOutResult:
        """Return the result over all processes."""
        ...


class ClassScoring:
    """Scores of classes [B, C]."""

    def __init__(self, class_names: tuple[str, ...], device: torch.device) -> None:
        self.tally, self.mistakes = Tally(class_names, device), ConfidentMistakes(device)
        self.loss = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, scores: Tensor, classes: Tensor, batch: Batch) -> None:
        """See Scoring."""
        self.loss += functional.cross_entropy(scores, classes, reduction="sum")
        self.mistakes.add(scores, classes, self.tally.add(scores, classes), batch.places)

    def result(self, group: Group) -> HeldOutResult:
        """See Scoring."""
        tally = self.tally
        evaluation = evaluation_of(tally.class_names, group.collected(tally.pairs), group.total(tally.among))
        mean = group.total(self.loss).item() / max(1, evaluation.images)
        return HeldOutResult(mean, evaluation, mistakes_of(group.collected(self.mistakes.rows)))


class MapScoring:
    """Scores of classes for each pixel [B, C, H, W], of so many images over all processes."""

    def __init__(self, class_names: tuple[str, ...], images: int, size: tuple[int, int], device: torch.device) -> None:
        self.class_names, self.size = class_names, size
        self.tally, self.shown = PixelTally(len(class_names), device), ShownMaps(images, *size, device)
        self.loss = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, scores: Tensor, classes: Tensor, batch: Batch) -> None:
        """See Scoring."""
        guesses = guesses_of(scores)
        self.loss += pixel_losses(scores, classes).sum(dtype=torch.float64)
        self.tally.add(guesses, classes)
        self.shown.add(guesses, classes, batch.places)

    def result(self, group: Group) -> HeldOutResult:
        """See Scoring."""
        (images,) = group.sums(self.tally.images)
        counts = group.total(self.tally.counts)
        evaluation = MapEvaluation.of(self.class_names, counts.tolist(), images)
        mean = group.total(self.loss).item() / max(1, evaluation.pixels)
        return HeldOutResult(mean, evaluation, maps=shown_maps(group.collected(self.shown.rows), *self.size))


class HeldOutImages:
    """The held-out images of this process, ready to be evaluated."""

    def __init__(self, engine: Engine, data: Data, normalise: Normaliser, workers: int) -> None:
        self.engine, self.normalise, self.data = engine, normalise, data
        group, recipe = engine.group, engine.recipe
        self.images = len(data.held_out)
        places = InOrder(len(data.held_out), group.replica, group.replicas)
        # a pipeline takes the images of a whole step at a time
        batch = recipe.step_images(1) if group.is_pipeline else recipe.batch
        self.batches = batches_of(data.held_out, places, batch, workers, group)

    @torch.no_grad()
    def evaluate(
        self, on_damaged: Callable[[str], None], show_progress: Callable[[Callable[[], str]], None]
    ) -> HeldOutResult:
        """Return the result over all processes. `on_damaged` is given the path of each image that cannot be read."""
        self.engine.set_mode(is_training=False)
        scoring, done = self._scoring(), 0
        for batch in self.batches:
            for path in batch.damaged:
                on_damaged(path)
            if not len(batch.classes):
                continue
            images, classes = self.normalise(batch)
            scoring.add(self.engine.scores(images), classes, batch)
            done += len(classes)
            show_progress(partial(self._progress, done))
        return scoring.result(self.engine.group)

    def _scoring(self) -> Scoring:
        names, device, held_out = self.data.class_names, self.engine.group.device, self.data.held_out
        if isinstance(held_out, Pairs):
            height, width = held_out.volumes.output.spatial
            return MapScoring(names, self.images, (height, width), device)
        return ClassScoring(names, device)

    def _progress(self, done: int) -> str:
        """How far the evaluation is, as this process sees it."""
        return f"held-out images: {min(self.images, done * self.engine.group.replicas):,} of {self.images:,} evaluated"
