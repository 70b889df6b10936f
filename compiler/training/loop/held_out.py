"""Evaluation on the held-out images after each epoch.

In: the network's engine and the held-out images. Out: their mean loss, what they were classified as, and the most
confident mistakes. Each image counts once, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch.nn import functional

from archspec.compiler.data.dataset import Data, InOrder
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.counting import Tally, evaluation_of
from archspec.compiler.evaluation.mistakes import ConfidentMistake, ConfidentMistakes, mistakes_of
from archspec.compiler.training.loop.normalise import Normaliser
from archspec.compiler.training.parallel.engine import Engine
from archspec.compiler.training.parallel.stage_batches import batches_of


class HeldOutResult(NamedTuple):
    """The mean loss of the held-out images, and how they were classified."""

    loss: float
    evaluation: Evaluation
    mistakes: tuple[ConfidentMistake, ...]


class HeldOutImages:
    """The held-out images of this process, ready to be evaluated."""

    def __init__(self, engine: Engine, data: Data, normalise: Normaliser, workers: int) -> None:
        self.engine, self.normalise, self.class_names = engine, normalise, data.class_names
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
        group = self.engine.group
        self.engine.set_mode(is_training=False)
        tally, mistakes = Tally(self.class_names, group.device), ConfidentMistakes(group.device)
        done = 0
        loss = torch.zeros((), dtype=torch.float64, device=group.device)
        for batch in self.batches:
            for path in batch.damaged:
                on_damaged(path)
            if not len(batch.classes):
                continue
            images, classes = self.normalise(batch)
            scores = self.engine.scores(images)
            loss += functional.cross_entropy(scores, classes, reduction="sum")
            mistakes.add(scores, classes, tally.add(scores, classes), batch.places)
            done += len(classes)
            show_progress(partial(self._progress, done))
        evaluation = evaluation_of(self.class_names, group.collected(tally.pairs), group.total(tally.among))
        mean = group.total(loss).item() / max(1, evaluation.images)
        return HeldOutResult(mean, evaluation, mistakes_of(group.collected(mistakes.rows)))

    def _progress(self, done: int) -> str:
        """How far the evaluation is, as this process sees it."""
        return f"held-out images: {min(self.images, done * self.engine.group.replicas):,} of {self.images:,} evaluated"
