"""The loop: epochs of steps, and after each a look at the held-out images.

In: a module, data, a recipe, the group of processes. Out: an epoch at a time, as figures. All that a step draws depends
on the seed, the epoch and the step alone, so a run that stops anywhere goes on to the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from archspec.compiler.data.dataset import Batch, Data, InOrder, Shuffled
from archspec.compiler.data.folder import too_many_damaged
from archspec.compiler.data.loader import loader
from archspec.compiler.data.mixup import Target, mixed
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.counting import Tally
from archspec.compiler.progress import Progress, clock
from archspec.compiler.training.loop.nonfinite import IN_A_ROW, Guard, first_wrong
from archspec.compiler.training.loop.optimizer import Average, Plateau, optimiser, rate
from archspec.compiler.training.parallel.engine import Engine
from archspec.diagnostics.errors import failure
from archspec.recipe import Recipe


class Judged(NamedTuple):
    """A look at the held-out images: their mean loss, and what they were taken for."""

    loss: float
    evaluation: Evaluation


class Trainer:
    """A run in progress. Between steps it asks `wants` whether to stop, and whether to save; then `run_epoch` ends
    early with `is_stopped`, or calls `save`. `tell` hears what happens on the way.
    """

    wants: Callable[[], tuple[bool, bool]] = staticmethod(lambda: (False, False))
    save: Callable[[], None] = staticmethod(lambda: None)
    tell: Callable[[str], None] = staticmethod(lambda _: None)

    def __init__(self, engine: Engine, data: Data, workers: int = 0) -> None:
        self.engine, self.data = engine, data
        self.module = engine.module
        self.recipe, self.group = recipe, group = engine.recipe, engine.group
        self.optimizer = optimiser(self.module.parameters(), recipe)
        self.learning = [one for part in self.optimizer.param_groups for one in part["params"]]
        self.plateau = Plateau(recipe)
        self.average = Average(self.module, recipe.ema) if recipe.ema else None
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=recipe.amp == "fp16")
        self.guard = Guard(self.module)
        self.order = Shuffled(len(data.train), recipe.seed, group.replica, group.replicas)
        self.train = loader(data.train, self.order, recipe.batch, workers, group.device)
        places = InOrder(len(data.held_out), group.replica, group.replicas)
        # a pipeline takes a whole step's images at a time
        batch = recipe.step_images(1) if group.is_pipeline else recipe.batch
        self.held_out = loader(data.held_out, places, batch, workers, group.device)
        self.mean, self.std = (torch.tensor(one, device=group.device)[:, None, None] for one in (data.mean, data.std))
        self.epoch = 0
        self.steps_done = 0  # of this epoch
        self.updates = 0  # steps whose loss was finite: where the schedule is
        self.seen = torch.zeros(3, dtype=torch.float64, device=group.device)  # loss, right, images of this epoch so far
        self.damaged: set[str] = set(data.damaged)
        self.is_stopped = False
        self.judged: Judged | None = None  # at the end of the last epoch
        self.steps = steps_of_epoch(len(data.train), recipe, group.replicas)

    # ---- training
    def run_epoch(self, progress: Progress) -> dict[str, Any]:
        """Train for what is left of an epoch, and look at the held-out images. Returns the epoch's figures."""
        start = time.monotonic()
        trained = self.run_steps(progress)
        if self.is_stopped:
            return {}
        held_out_loss, evaluation = self.judged = self.evaluate()
        self._need_figures(self.judged)
        self.plateau.see(held_out_loss)
        self.epoch, self.steps_done = self.epoch + 1, 0
        self.seen.zero_()
        return {
            "epoch": self.epoch,
            **trained,
            "held_out_loss": held_out_loss,
            "top1": evaluation.top1,
            "top5": evaluation.top5,
            "skipped": self.guard.skipped,
            "damaged": len(self.damaged),
            "seconds": time.monotonic() - start,
        }

    def run_steps(self, progress: Progress) -> dict[str, float]:
        """What is left of an epoch's steps, or those until somebody stops them. Returns their figures."""
        start, waited, begun = time.monotonic(), 0.0, self.steps_done
        self.order.epoch, self.order.start = self.epoch, self.steps_done * self.recipe.batch * self.recipe.accumulate
        self.engine.set_mode(is_training=self.recipe.mode != "linear-probe")  # whose backbone is as it was
        batches: Iterator[Batch] = iter(self.train)
        lr = 0.0
        while self.steps_done < self.steps:
            asked = time.monotonic()
            taken = [next(batches) for _ in range(self.recipe.accumulate)]
            waited += time.monotonic() - asked
            if self._is_stopped_before(taken):
                self.is_stopped = True
                return {}
            lr = self._step(taken)
            self.steps_done += 1
            progress.step(partial(self._line, lr, start, begun))
        self._settle()
        loss, right, images = self.group.total(self.seen.clone()).tolist()
        seconds = time.monotonic() - start
        done = (self.steps - begun) * self.recipe.step_images(self.group.replicas)
        return {
            "lr": lr,
            "loss": loss / max(1, images),
            "train_top1": right / max(1, images),
            "images_per_second": done / seconds,
            "data_wait": waited / seconds,
        }

    def _need_figures(self, held_out: Judged) -> None:
        """Raise ArchspecError if too many held-out images are damaged, or the network has diverged."""
        self.damaged = set(self.group.gathered(self.damaged))
        if len(self.damaged) > self.data.most_damaged or not held_out.evaluation.images:
            raise too_many_damaged(sorted(self.damaged), self.data)
        if not math.isfinite(held_out.loss):
            message = f"the held-out loss is not finite after epoch {self.epoch + 1}: the weights have diverged"
            helps = ("begin again with a lower `--lr`, a longer `--warmup`, or `--clip 1`",)
            raise failure("E459", message, helps=helps)

    def _is_stopped_before(self, batches: list[Batch]) -> bool:
        """What all processes agree to do before a step."""
        for path in sorted({path for batch in batches for path in batch.damaged} - self.damaged):
            self.damaged.add(path)
            self.tell(f"`{path}` could not be read; another image takes its place")
        stop, save = self.wants()
        stop, save, too_many = self.group.agree(stop, save, len(self.damaged) > self.data.most_damaged)
        if too_many:
            raise too_many_damaged(self.group.gathered(self.damaged), self.data)
        if stop or save:
            self._settle()
        if save and not stop:
            self.save()
        return stop

    def _step(self, batches: list[Batch]) -> float:
        self.group.seed(self._number(self.group.rank))  # of dropout, so that a state needs no generator's
        self.optimizer.zero_grad(set_to_none=True)
        self.guard.begin()
        parts = (self._mixed(batch, number) for number, batch in enumerate(batches))
        loss, seen = self.engine.backward(parts, len(batches), self.scaler)
        self._settle(batches)
        scale = self.recipe.scale_of_lr(self.group.replicas)
        lr = self.recipe.lr * scale * rate(self.recipe, self.updates / self.steps, self.plateau.factor)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        finite = self._update(loss)
        self.seen += torch.where(finite, seen, torch.zeros_like(seen))
        return lr

    def _update(self, loss: Tensor) -> Tensor:
        """Change the weights, unless loss or gradients are not finite. Returns whether they are, on the device."""
        self.scaler.unscale_(self.optimizer)
        gradients = [one.grad for one in self.learning if one.grad is not None]
        norm = self.group.norm_over_stages(_norm(gradients))
        wrong = self.group.total((~torch.isfinite(norm + 0 * loss)).float())
        finite = wrong == 0
        if self.recipe.clip:
            torch._foreach_mul_(gradients, (self.recipe.clip / (norm + 1e-6)).clamp(max=1.0))
        if self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
            self.scaler.update()
        elif self.optimizer.defaults.get("fused"):
            self.optimizer.found_inf = wrong.clamp_(max=1)  # type: ignore[attr-defined]  # the kernel then does nothing
            self.optimizer.step()
        elif bool(finite):
            self.optimizer.step()
        self.guard.end(finite)
        if self.average is not None:
            self.average.see(self.module, self.updates + 1, finite)
        return finite

    def _settle(self, batches: list[Batch] | None = None) -> None:
        """Take the verdict on the last step. Raises ArchspecError after too many bad ones in a row."""
        self.updates += bool(self.guard.settled())
        if self.guard.in_a_row < IN_A_ROW:
            return
        where = f"epoch {self.epoch + 1}, step {self.steps_done} of {self.steps}"
        notes = [f"they end at {where}; they changed no weights, and the last checkpoint is as it was"]
        if batches is not None and not self.group.is_pipeline:
            found = first_wrong(self.module, self._placed(batches[0])[0])
            notes.append(
                f"the first layer whose values are not finite is `{found}`"
                if found
                else "all layers' values are finite, the gradients are not"
            )
        helps = (
            "begin again with a lower `--lr`, a longer `--warmup`, or `--clip 1`",
            "`--from` takes the weights of the best epoch, best.safetensors",
        )
        message = f"{IN_A_ROW} steps in a row had no finite loss or gradients"
        raise failure("E459", message, notes=tuple(notes), helps=helps)

    def _number(self, *more: int) -> int:
        """A seed for a step of the run."""
        number = self.recipe.seed
        for one in (self.epoch, self.steps_done, *more):
            number = (number * 1_000_003 + one + 1) % 2**62
        return number

    def _mixed(self, batch: Batch, number: int) -> tuple[Tensor, Target]:
        images, classes = self._placed(batch)
        return mixed(images, classes, self.recipe, self._number(self.group.replica, number))

    def _placed(self, batch: Batch) -> tuple[Tensor, Tensor]:
        device = self.group.device
        pixels = batch.images.to(device, non_blocking=True).float().div_(255).sub_(self.mean).div_(self.std)
        if self.recipe.channels_last:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        return pixels, batch.classes.to(device, non_blocking=True)

    def _line(self, lr: float, start: float, begun: int) -> str:
        """How far the run is. It reads from the device, so it is asked for now and then only."""
        done, gone = self.steps_done - begun, time.monotonic() - start
        loss, right, images = self.seen.tolist()
        left = gone / done * (self.steps * (self.recipe.epochs - self.epoch) - self.steps_done)
        speed = done * self.recipe.step_images(self.group.replicas) / gone
        return (
            f"epoch {self.epoch + 1}/{self.recipe.epochs} step {self.steps_done:,}/{self.steps:,}"
            f"  loss {loss / max(1, images):.4f}  top-1 {100 * right / max(1, images):.1f} %  lr {lr:.2g}"
            f"  {speed:,.0f} images/s  {clock(left)} left"
        )

    # ---- held-out images
    @torch.no_grad()
    def evaluate(self) -> Judged:
        """Look at all held-out images, each counted once; with the averaged weights where there are any."""
        self.engine.agree_on_statistics([] if self.average is None else [self.average.values])
        own = {name: value.clone() for name, value in self.module.state_dict().items()} if self.average else {}
        if self.average:
            self.module.load_state_dict(self.average.values)
        self.engine.set_mode(is_training=False)
        tally = Tally(self.data.class_names, self.group.device)
        loss = torch.zeros((), dtype=torch.float64, device=self.group.device)
        for batch in self.held_out:
            for path in batch.damaged:
                if path not in self.damaged:
                    self.damaged.add(path)
                    self.tell(f"`{path}` could not be read; it is left out")
            if not len(batch.classes):
                continue
            images, classes = self._placed(batch)
            scores = self.engine.scores(images)
            loss += functional.cross_entropy(scores, classes, reduction="sum")
            tally.add(scores, classes)
        if self.average:
            self.module.load_state_dict(own)
        self.group.total(tally.counts)
        evaluation = tally.evaluation()
        return Judged(self.group.total(loss).item() / max(1, evaluation.images), evaluation)

    def result(self) -> dict[str, Tensor]:
        """The weights that the run is for: the averaged ones, or the last; in the first process."""
        return self.engine.whole(self.average.values if self.average else self.module.state_dict())

    # ---- state
    def state(self) -> dict[str, Any]:
        """All that the run depends on from here on, in the first process."""
        self.engine.agree_on_statistics([] if self.average is None else [self.average.values])
        return {
            "module": self.engine.whole(self.module.state_dict()),
            "average": self.engine.whole(self.average.values) if self.average else None,
            "optimizer": self.engine.memory(self.optimizer),
            "scaler": self.scaler.state_dict(),
            "plateau": vars(self.plateau),
            "epoch": self.epoch,
            "steps_done": self.steps_done,
            "updates": self.updates,
            "skipped": self.guard.skipped,
            "in_a_row": self.guard.in_a_row,
            "seen": self.group.total(self.seen.clone()),
            "damaged": self.group.gathered(self.damaged),
            "replicas": self.group.replicas,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.module.load_state_dict({name: state["module"][name] for name in self.module.state_dict()})
        if self.average:
            for name, value in self.average.values.items():
                value.copy_(state["average"][name])
        self.engine.remember(self.optimizer, state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        vars(self.plateau).update(state["plateau"])
        self.epoch, self.steps_done, self.updates = state["epoch"], state["steps_done"], state["updates"]
        self.guard.skipped, self.guard.in_a_row = state["skipped"], state["in_a_row"]
        if self.group.replica == 0:  # which counts what all have seen
            self.seen.copy_(state["seen"])
        self.damaged.update(state["damaged"])


def steps_of_epoch(images: int, recipe: Recipe, processes: int) -> int:
    """Whole steps of so many images. Raises ArchspecError where there is none."""
    steps = images // processes // recipe.batch // recipe.accumulate
    if not steps:
        message = f"{images:,} images to train on, and a step takes {recipe.step_images(processes):,}"
        helps = (f"`--batch {max(1, images // processes // recipe.accumulate)}`",)
        if images < processes * recipe.accumulate:
            helps = ("a smaller `--accumulate`",)
        raise failure("E453", message, helps=helps)
    return steps


def _norm(gradients: list[Tensor]) -> Tensor:
    """The norm of all gradients together: torch's own sorts them by device and type first, which takes longer."""
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))) if gradients else torch.tensor(0.0)
