"""The training loop: epochs of steps, and an evaluation on the held-out images after each.

In: an engine, data, an observer. Out: the figures of one epoch at a time. Everything random in a step depends only on
the seed, the epoch and the step, so a run that is interrupted anywhere resumes to the same weights.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial

import torch
from torch import Tensor

from archspec.compiler.data.augmentation.step_images import StepImages
from archspec.compiler.data.damaged import DamagedImages
from archspec.compiler.data.dataset import Batch, Data, train_order
from archspec.compiler.data.folder import too_many_damaged
from archspec.compiler.progress import clock
from archspec.compiler.training.loop.held_out import HeldOutImages, HeldOutResult
from archspec.compiler.training.loop.normalise import Normaliser
from archspec.compiler.training.loop.observer import TrainingObserver
from archspec.compiler.training.loop.schedule import Plateau, rate, steps_per_epoch
from archspec.compiler.training.loop.skipped_steps import ADVICE, cause_of, diverged
from archspec.compiler.training.loop.step_timer import StepTimer
from archspec.compiler.training.loop.update import WeightUpdate
from archspec.compiler.training.parallel.engine import Engine, MicroBatch
from archspec.compiler.training.parallel.stage_batches import batches_of
from archspec.compiler.training.records.checkpoint import TrainerState
from archspec.compiler.training.records.checkpoint_values import need_same_form
from archspec.compiler.training.records.epoch_figures import EpochFigures, StepFigures, loss_columns
from archspec.diagnostics.errors import failure


class Trainer:
    """A run in progress, one in each process. `workers` processes decode images, or this one for 0."""

    def __init__(self, engine: Engine, data: Data, workers: int = 0) -> None:
        self.engine, self.data = engine, data
        self.module, self.recipe, self.group = engine.module, engine.recipe, engine.group
        recipe, group = self.recipe, self.group
        self.update = WeightUpdate(engine)
        self.plateau = Plateau(recipe)
        self.normalise = Normaliser(data, recipe, group.device)
        self.step_images = StepImages(recipe, self.normalise, group.replica, group.replicas, group.total)
        self.order = train_order(data, recipe, group.replica, group.replicas)
        self.train = batches_of(data.train, self.order, recipe.batch, workers, group)
        self.held_out = HeldOutImages(engine, data, self.normalise, workers)
        self.steps = steps_per_epoch(len(data.train), recipe, group.replicas)
        self.what = "pixels" if data.pixels else "top-1"  # of what the share is that is right
        self.epoch = 0  # epochs done
        self.steps_done = 0  # of this epoch
        # of this epoch so far: first loss, right, images or pixels, other losses
        self.seen = torch.zeros(2 + len(engine.losses), dtype=torch.float64, device=group.device)
        self.damaged = DamagedImages(data.damaged, data.most_damaged)
        self._nothing_seen = torch.zeros_like(self.seen)
        self.result: HeldOutResult | None = None  # of the last epoch

    # ---- an epoch
    def run_epoch(self, observer: TrainingObserver) -> EpochFigures | None:
        """Finish the current epoch and evaluate. Returns None if the observer stopped it."""
        start = time.monotonic()
        steps = self.run_steps(observer)
        if steps is None:
            return None
        self.result = self.evaluate(observer)
        self._check(self.result)
        self.plateau.see(self.result.loss)
        self.epoch, self.steps_done = self.epoch + 1, 0
        self.seen.zero_()
        return EpochFigures(
            epoch=self.epoch,
            lr=steps.lr,
            loss=steps.loss,
            losses=steps.losses,
            held_out_loss=self.result.loss,
            images_per_second=steps.images_per_second,
            data_wait=steps.data_wait,
            skipped=self.update.skipping.skipped,
            damaged=len(self.damaged.paths),
            seconds=time.monotonic() - start,
            **self.result.evaluation.epoch_figures(steps.train_right),
        )

    def run_steps(self, observer: TrainingObserver) -> StepFigures | None:
        """Take the remaining steps of the epoch. Returns None if the observer stopped them."""
        timer = StepTimer(self.steps_done, self.recipe.step_images(self.group.replicas))
        batches = self._remaining_batches()
        lr = 0.0
        while self.steps_done < self.steps:
            asked = time.monotonic()
            taken = [next(batches) for _ in range(self.recipe.accumulate)]
            timer.waited += time.monotonic() - asked
            if self._is_stopped_before(taken, observer):
                return None
            lr = self._step(taken)
            self.steps_done += 1
            observer.show_progress(partial(self._progress, lr, timer))
        self._settle()
        loss, right, images, *others = self.group.total(self.seen.clone()).tolist()
        seconds, images = timer.seconds, max(1, images)
        speed = timer.images_per_second(self.steps, seconds)
        means = [one / images for one in (loss, *others)]
        losses = loss_columns(self.engine.losses, means)
        return StepFigures(lr, means[0], right / images, speed, timer.waited / seconds, losses)

    def _remaining_batches(self) -> Iterator[Batch]:
        self.order.epoch, self.order.start = self.epoch, self.steps_done * self.recipe.batch * self.recipe.accumulate
        self.engine.set_mode(is_training=self.recipe.mode != "linear-probe")  # whose backbone does not change
        return iter(self.train)

    def _check(self, held_out: HeldOutResult) -> None:
        """Raise ArchspecError if too many held-out images are damaged, or the network has diverged."""
        self._share_damaged(are_too_many=not held_out.evaluation.images)
        if not math.isfinite(held_out.loss):
            message = f"the held-out loss is not finite after epoch {self.epoch + 1}: the weights have diverged"
            raise failure("E459", message, helps=(ADVICE,))

    def _share_damaged(self, are_too_many: bool = False) -> None:
        """Gather the damaged images of all processes. Raises ArchspecError for too many."""
        if self.damaged.share(self.group.gathered(self.damaged.paths)) or are_too_many:
            raise too_many_damaged(self.damaged.paths, self.data)

    def _progress(self, lr: float, timer: StepTimer) -> str:
        """How far the run is. It waits for the device, so it is made only now and then."""
        loss, right, images = self.seen[:3].tolist()
        left = timer.seconds_left(self.steps_done, self.steps * (self.recipe.epochs - self.epoch) - self.steps_done)
        return (
            f"epoch {self.epoch + 1}/{self.recipe.epochs} step {self.steps_done:,}/{self.steps:,}"
            f"  loss {loss / max(1, images):.4f}  {self.what} {100 * right / max(1, images):.1f} %  lr {lr:.2g}"
            f"  {timer.images_per_second(self.steps_done, timer.seconds):,.0f} images/s  {clock(left)} left"
        )

    # ---- a step
    def _is_stopped_before(self, batches: list[Batch], observer: TrainingObserver) -> bool:
        """Do what the processes agree to do before a step; save, or return True to stop."""
        for path in sorted({path for batch in batches for path in batch.damaged}):
            self._note_damaged(observer, "replaced by another image", path)
        asked = observer.requests(self.steps_done)
        stop, save, damaged = self.group.sums(*asked, len(self.damaged.own))
        if self.damaged.may_be_too_many(damaged):
            self._share_damaged()
        if stop or save:
            self._settle()
        if save and not stop:
            observer.save(self.state())
        return bool(stop)

    def _note_damaged(self, observer: TrainingObserver, consequence: str, path: str) -> None:
        if self.damaged.add(path):
            observer.tell(f"cannot read `{path}`: {consequence}")

    def _step(self, batches: list[Batch]) -> float:
        """Take a step. Returns its learning rate."""
        self.group.seed(self._number(self.group.rank))  # of dropout, so that no generator's state has to be saved
        self.update.begin()
        parts = itertools.starmap(MicroBatch, self.step_images.parts(batches, self._number()))
        loss, seen = self.engine.backward(parts, len(batches), self.update.scaler)
        self._settle(batches)
        share = rate(self.recipe, self.update.done / self.steps, self.plateau.factor)
        lr = self.recipe.scaled_lr(self.group.replicas) * share
        finite = self.update.apply(loss, lr)
        self.seen += torch.where(finite, seen, self._nothing_seen)
        return lr

    def _settle(self, batches: list[Batch] | None = None) -> None:
        """Learn whether the last step was skipped. Raises ArchspecError after too many in a row."""
        self.update.settle()
        if self.update.skipping.are_too_many:
            can_look = batches is not None and not self.group.is_pipeline
            cause = cause_of(self.module, self.step_images.normalise(batches[0])[0]) if batches and can_look else None
            raise diverged(f"epoch {self.epoch + 1}, step {self.steps_done} of {self.steps}", cause)

    def _number(self, *more: int) -> int:
        """Return a seed for the current step."""
        number = self.recipe.seed
        for one in (self.epoch, self.steps_done, *more):
            number = (number * 1_000_003 + one + 1) % 2**62
        return number

    # ---- held-out images
    def evaluate(self, observer: TrainingObserver) -> HeldOutResult:
        """Evaluate on the held-out images, with the averaged weights if the run averages them."""
        self._agree_on_statistics()
        average = self.update.average
        with average.swapped_into(self.module) if average else nullcontext():
            return self.held_out.evaluate(partial(self._note_damaged, observer, "left out"), observer.show_progress)

    def _agree_on_statistics(self) -> None:
        self.engine.agree_on_statistics([] if self.update.average is None else [self.update.average.values])

    # ---- state; its weights are in the first process only
    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights if the run averages them, else the last ones."""
        average = self.update.average
        return self.engine.whole(average.values if average else self.module.state_dict())

    def state(self) -> TrainerState:
        """Return everything that the rest of the run depends on."""
        self._agree_on_statistics()
        average = self.update.average
        return TrainerState(
            module=self.engine.whole(self.module.state_dict()),
            average=self.engine.whole(average.values) if average else None,
            optimizer=self.engine.memory(self.update.optimizer),
            scaler=self.update.scaler.state_dict(),
            plateau=vars(self.plateau),
            epoch=self.epoch,
            steps_done=self.steps_done,
            updates=self.update.done,
            skipped=self.update.skipping.skipped,
            in_a_row=self.update.skipping.in_a_row,
            seen=self.group.total(self.seen.clone()),
            damaged=self.group.gathered(self.damaged.paths),
            replicas=self.group.replicas,
        )

    def restore(self, state: TrainerState) -> None:
        """Go on from a state. Raises KeyError, TypeError, ValueError or RuntimeError if it is of another network."""
        if state.epoch > self.recipe.epochs or state.steps_done > self.steps:
            raise ValueError(f"it is at step {state.steps_done} of epoch {state.epoch + 1}, after the run's end")
        need_same_form(self.module.state_dict(), state.module, "module")
        self.module.load_state_dict({name: state.module[name] for name in self.module.state_dict()})
        if self.update.average:
            kept = state.average or {}
            need_same_form(self.update.average.values, kept, "average")
            for name, value in self.update.average.values.items():
                value.copy_(kept[name])
        self.engine.remember(self.update.optimizer, state.optimizer)
        self.update.scaler.load_state_dict(state.scaler)
        self.plateau.restore(state.plateau)
        self.epoch, self.steps_done, self.update.done = state.epoch, state.steps_done, state.updates
        self.update.skipping.skipped, self.update.skipping.in_a_row = state.skipped, state.in_a_row
        if self.group.replica == 0:  # the sums are over all processes
            self.seen.copy_(state.seen)
        self.damaged.share([*self.data.damaged, *state.damaged])
