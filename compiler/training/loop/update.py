"""How a step's gradients change the weights: clipped, scaled back, and not at all if they are not finite.

In: a module with gradients, the loss, a learning rate. Out: new weights, and a flag on the device: whether the step was
an update.
"""

from __future__ import annotations

import torch
from torch import Tensor

from archspec.compiler.training.loop.optimizer import optimiser
from archspec.compiler.training.loop.skipped_steps import SkippedSteps
from archspec.compiler.training.loop.weight_average import WeightAverage
from archspec.compiler.training.parallel.engine import Engine


class WeightUpdate:
    """The optimiser of a run, with everything that follows its steps: loss scaling, averaged weights, skipped steps."""

    def __init__(self, engine: Engine) -> None:
        self.module, self.recipe, self.group = engine.module, engine.recipe, engine.group
        self.optimizer = optimiser(self.module.parameters(), self.recipe)
        self.trained = [one for part in self.optimizer.param_groups for one in part["params"]]
        self.average = WeightAverage(self.module, self.recipe.ema) if self.recipe.ema else None
        self.scaler = torch.amp.GradScaler(self.group.device.type, enabled=self.recipe.amp == "fp16")
        self.skipping = SkippedSteps(self.module)
        self.done = 0  # updates so far: where the schedule is

    def begin(self) -> None:
        """Prepare for a forward and a backward pass."""
        self.optimizer.zero_grad(set_to_none=True)
        self.skipping.begin()

    def settle(self) -> None:
        """Count the last step as an update or as skipped."""
        self.done += bool(self.skipping.settled())

    def apply(self, loss: Tensor, lr: float) -> Tensor:
        """Change the weights unless loss or gradients are not finite. Returns whether they are, on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["lr_scale"]
        if self.scaler.is_enabled():
            self.scaler.unscale_(self.optimizer)
        gradients = [one.grad for one in self.trained if one.grad is not None]
        if self.recipe.clip or self.group.is_pipeline:
            norm = self.group.norm_over_stages(total_norm(gradients))
            both = norm + loss
            own = (both - both != 0).float()  # isfinite takes four operations
            if self.recipe.clip:
                clip(gradients, norm, self.recipe.clip)
        else:
            own = nonfinite([*gradients, loss])
        wrong = self.group.total(own)
        finite = wrong == 0
        self._step(finite, wrong)
        self.skipping.end(finite)
        if self.average is not None:
            self.average.see(self.module, self.done + 1, finite)
        return finite

    def _step(self, finite: Tensor, wrong: Tensor) -> None:
        if self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
            self.scaler.update()
        elif self.optimizer.defaults.get("fused"):
            self.optimizer.found_inf = wrong if self.group.replicas == 1 else wrong.clamp_(max=1)  # type: ignore[attr-defined]  # the kernel then does nothing
            self.optimizer.step()
        elif bool(finite):
            self.optimizer.step()


def nonfinite(values: list[Tensor]) -> Tensor:
    """Return 1 if a number in float32 tensors of one device is NaN or infinite, else 0: the operation of torch's
    GradScaler, with a scale of 1, which reads all tensors at once."""
    found = torch.zeros((), device=values[-1].device)
    torch._amp_foreach_non_finite_check_and_unscale_(values, found, torch.ones_like(found))
    return found


def total_norm(gradients: list[Tensor]) -> Tensor:
    """Return the norm of all gradients together: torch's own sorts them by device and type first, which is slower."""
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))) if gradients else torch.tensor(0.0)


def clip(gradients: list[Tensor], norm: Tensor, most: float) -> None:
    """Scale gradients down so that their `norm` is at most `most`; smaller ones stay as they are."""
    torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp(max=1.0))
