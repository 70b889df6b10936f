"""The loop: epochs of steps, and after each a look at the held-out images.

In: a module, data, a recipe, the group of processes. Out: an epoch at a time, as figures. Where a run stops in the
middle of an epoch, it goes on at the next image: order and augmentation depend on the seed and the epoch alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from archspec.compiler.lower import Lowered
from archspec.compiler.training.data import Batch, Data, Images, InOrder, Key, Shuffled
from archspec.compiler.training.distributed import Group
from archspec.compiler.training.optimise import Plateau, optimiser, rate
from archspec.compiler.training.progress import Progress, clock
from archspec.compiler.training.recipe import Recipe
from archspec.diagnostics import Diagnostic, SpecError

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """A run in progress. `stop` is asked between steps; then `run_epoch` ends early and `is_stopped` is true."""

    stop: Callable[[], bool] = staticmethod(lambda: False)

    def __init__(self, module: Lowered, data: Data, recipe: Recipe, group: Group, workers: int = 0) -> None:
        self.module, self.recipe, self.group = module.to(group.device), recipe, group
        self.outer: nn.Module = DistributedDataParallel(module) if group.size > 1 else module
        self.optimizer = optimiser(module, recipe)
        self.plateau = Plateau()
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=recipe.amp == "fp16")
        self.order = Shuffled(len(data.train), recipe.seed, group.rank, group.size)
        self.train = _loader(data.train, self.order, recipe.batch, workers)
        places = InOrder(len(data.held_out), group.rank, group.size)
        self.held_out = _loader(data.held_out, places, recipe.batch, workers)
        self.mean, self.std = (torch.tensor(one, device=group.device)[:, None, None] for one in (data.mean, data.std))
        self.epoch = 0
        self.steps_done = 0  # of this epoch
        self.seen = torch.zeros(2, device=group.device)  # loss and images of this epoch so far
        self.is_stopped = False
        self.steps = len(self.order) // recipe.batch // recipe.accumulate
        if not self.steps:
            images = len(self.order) * group.size
            takes = recipe.batch * recipe.accumulate * group.size
            message = f"{images:,} images to train on, and a step takes {takes:,}"
            raise SpecError([Diagnostic("E453", message, helps=(f"`--batch {max(1, images // group.size // 4)}`",))])

    # ---- training
    def run_epoch(self, progress: Progress) -> dict[str, Any]:
        """Train for what is left of an epoch, and look at the held-out images. Returns the epoch's figures."""
        start = time.monotonic()
        self.order.epoch, self.order.start = self.epoch, self.steps_done * self.recipe.batch * self.recipe.accumulate
        begun = self.steps_done
        self.outer.train()
        batches = iter(self.train)
        lr = 0.0
        while self.steps_done < self.steps:
            lr = self._step([next(batches) for _ in range(self.recipe.accumulate)])
            self.steps_done += 1
            progress.step(self._line(start, begun))
            if self.group.any(self.stop()):
                self.is_stopped = True
                return {}
        loss, images = self.group.total(self.seen.clone()).tolist()
        seconds = time.monotonic() - start
        held_out = self.evaluate()
        self.plateau.see(held_out["loss"])
        self.epoch, self.steps_done = self.epoch + 1, 0
        self.seen.zero_()
        done = (self.steps - begun) * self.recipe.batch * self.recipe.accumulate * self.group.size
        return {
            "epoch": self.epoch, "lr": lr, "loss": loss / images, "held_out_loss": held_out["loss"],
            "top1": held_out["top1"], "images_per_second": done / seconds, "seconds": time.monotonic() - start,
        }  # fmt: skip

    def _step(self, batches: list[Batch]) -> float:
        peak = self.recipe.scaled_lr(self.group.size)
        lr = rate(self.recipe, peak, self.epoch + self.steps_done / self.steps, self.plateau)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        for number, batch in enumerate(batches):
            is_last = number == len(batches) - 1
            with nullcontext() if is_last or self.group.size == 1 else self.outer.no_sync():  # type: ignore[operator]
                self._backward(batch, len(batches))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return lr

    def _backward(self, batch: Batch, parts: int) -> None:
        images, classes = self._placed(batch)
        with self._precision():
            outputs = self.outer(images)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            losses = [
                functional.cross_entropy(output.float(), classes, label_smoothing=self.recipe.label_smoothing)
                for output in outputs
            ]
        loss = torch.stack([weight * one for weight, one in zip(self.module.loss_weights, losses, strict=True)]).sum()
        torch.autograd.backward(self.scaler.scale(loss / parts))
        self.seen += torch.stack([losses[0].detach() * len(classes), losses[0].new_tensor(float(len(classes)))])

    def _placed(self, batch: Batch) -> Batch:
        images, classes = batch
        device = self.group.device
        pixels = images.to(device, non_blocking=True).float().div_(255)
        return pixels.sub_(self.mean).div_(self.std), classes.to(device, non_blocking=True)

    def _precision(self) -> Any:
        if self.recipe.amp == "off":
            return nullcontext()
        return torch.autocast(self.group.device.type, TYPES[self.recipe.amp])

    def _line(self, start: float, begun: int) -> str:
        share = (self.steps_done - begun) / (self.steps - begun)
        left = (time.monotonic() - start) * (1 - share) / share
        where = f"epoch {self.epoch + 1}/{self.recipe.epochs}: step {self.steps_done:,}/{self.steps:,}"
        return f"{where}, {clock(left)} left in it"

    # ---- held-out images
    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The mean loss and the share of right first guesses over all held-out images, each counted once."""
        self.module.eval()
        sums = torch.zeros(3, dtype=torch.float64, device=self.group.device)
        for batch in self.held_out:
            images, classes = self._placed(batch)
            with self._precision():
                scores = self.module(images).float()
            loss = functional.cross_entropy(scores, classes, reduction="sum")
            right = (scores.argmax(1) == classes).sum()
            sums += torch.stack([loss.double(), right.double(), torch.tensor(len(classes)).double().to(sums.device)])
        loss, right, images_seen = self.group.total(sums).tolist()
        return {"loss": loss / images_seen, "top1": right / images_seen, "images": images_seen}

    # ---- state
    def state(self) -> dict[str, Any]:
        """All that the run depends on from here on."""
        return {
            "module": self.module.state_dict(), "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(), "plateau": vars(self.plateau), "epoch": self.epoch,
            "steps_done": self.steps_done, "seen": self.seen, "random": torch.get_rng_state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        vars(self.plateau).update(state["plateau"])
        self.epoch, self.steps_done = state["epoch"], state["steps_done"]
        self.seen.copy_(state["seen"])
        torch.set_rng_state(state["random"])


def _loader(images: Images, order: Any, batch: int, workers: int) -> DataLoader[Any]:
    own = torch.Generator()  # a loader draws a number for its workers, which must not come out of the run's
    return DataLoader(
        _Batched(images), batch_size=batch, sampler=order, num_workers=workers, collate_fn=_whole, generator=own
    )


class _Batched(torch.utils.data.Dataset[Any]):
    """Images to a DataLoader: a whole batch at once."""

    def __init__(self, images: Images) -> None:
        self.images = images

    def __getitems__(self, keys: list[Key]) -> Batch:
        return self.images.__getitems__(keys)


def _whole(batch: Any) -> Any:
    return batch
