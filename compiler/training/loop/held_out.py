"""Evaluation on the held-out images after each epoch.

In: the network's engine and the held-out images. Out: their mean loss, and what they were classified as. Each image
counts once, whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn import functional

from archspec.compiler.data.dataset import Data, InOrder
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.counting import Tally, evaluation_of
from archspec.compiler.training.loop.normalise import Normaliser
from archspec.compiler.training.parallel.engine import Engine
from archspec.compiler.training.parallel.stage_batches import batches_of


class HeldOutResult(NamedTuple):
    """The mean loss of the held-out images, and how they were classified."""

    loss: float
    evaluation: Evaluation


class HeldOutImages:
    """The held-out images of this process, ready to be evaluated."""

    def __init__(self, engine: Engine, data: Data, normalise: Normaliser, workers: int) -> None:
        self.engine, self.normalise, self.class_names = engine, normalise, data.class_names
        group, recipe = engine.group, engine.recipe
        places = InOrder(len(data.held_out), group.replica, group.replicas)
        # a pipeline takes the images of a whole step at a time
        batch = recipe.step_images(1) if group.is_pipeline else recipe.batch
        self.batches = batches_of(data.held_out, places, batch, workers, group)

    @torch.no_grad()
    def evaluate(self, on_damaged: Callable[[str], None]) -> HeldOutResult:
        """Return the result over all processes. `on_damaged` is given the path of each image that cannot be read."""
        group = self.engine.group
        self.engine.set_mode(is_training=False)
        tally = Tally(self.class_names, group.device)
        loss = torch.zeros((), dtype=torch.float64, device=group.device)
        for batch in self.batches:
            for path in batch.damaged:
                on_damaged(path)
            if not len(batch.classes):
                continue
            images, classes = self.normalise(batch)
            scores = self.engine.scores(images)
            loss += functional.cross_entropy(scores, classes, reduction="sum")
            tally.add(scores, classes)
        evaluation = evaluation_of(self.class_names, group.collected(tally.pairs), group.total(tally.among))
        return HeldOutResult(group.total(loss).item() / max(1, evaluation.images), evaluation)
