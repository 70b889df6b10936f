"""Steps whose loss or gradients are not finite: skipped and counted; several in a row end the run.

In: after each backward pass, whether loss and gradients are finite. Out: a flag on the device, by which the optimiser,
the averaged weights and the statistics of batch normalisations skip the step; the host reads it one step later, when
the device is busy with the next one, so nothing waits for it. Gradients and the flag are the same on all processes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from archspec.diagnostics.errors import ArchspecError, failure

IN_A_ROW = 10
ADVICE = "start again with a lower `--lr`, a longer `--warmup`, or `--clip 1`"


class SkippedSteps:
    """Which steps of a run are skipped."""

    def __init__(self, module: nn.Module) -> None:
        self.skipped = 0
        self.in_a_row = 0
        self._buffers = [one for one in module.buffers() if one.is_floating_point()]
        self._before: list[Tensor] = []
        self._pending: Tensor | None = None
        self._arrived: torch.cuda.Event | None = None

    @property
    def are_too_many(self) -> bool:
        """Whether the run has to end."""
        return self.in_a_row >= IN_A_ROW

    def begin(self) -> None:
        """Keep the batch statistics, which the forward pass is about to change."""
        self._before = [one.clone() for one in self._buffers]

    def end(self, finite: Tensor) -> None:
        """Undo the change of the statistics unless `finite`, a single flag, is set. Call it after the update."""
        for now, before in zip(self._buffers, self._before, strict=True):
            now.copy_(torch.where(finite, now, before))
        self._pending = finite.to("cpu", non_blocking=True)
        if finite.is_cuda:
            self._arrived = torch.cuda.Event()
            self._arrived.record()

    def settled(self) -> bool | None:
        """Return whether the last step was an update, and count it; None if it was counted already."""
        if self._pending is None:
            return None
        if self._arrived is not None:
            self._arrived.synchronize()
        finite, self._pending = bool(self._pending), None
        self.skipped += not finite
        self.in_a_row = 0 if finite else self.in_a_row + 1
        return finite


def diverged(where: str, cause: str | None) -> ArchspecError:
    """Return the error of a run with too many skipped steps; `cause` says what was not finite, if known."""
    notes = [f"the last one was {where}; they changed no weights, and the last checkpoint is intact"]
    notes += [cause] if cause else []
    helps = (ADVICE, "`--from` starts from the weights of the best epoch, best.safetensors")
    message = f"the loss or the gradients were not finite in {IN_A_ROW} steps in a row"
    return failure("E459", message, notes=notes, helps=helps)


def cause_of(module: nn.Module, images: Tensor) -> str:
    """Say which layer is the first whose output for these images is not finite."""
    name = first_nonfinite_layer(module, images)
    if not name:
        return "the outputs of all layers are finite, but the gradients are not"
    return f"the first layer whose output is not finite is `{name}`"


def first_nonfinite_layer(module: nn.Module, images: Tensor) -> str:
    """Return the name of the first layer whose output for these images is not finite, or an empty string."""
    found: list[str] = []

    def look(name: str) -> None:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            values = output if isinstance(output, tuple) else (output,)
            if not found and any(not torch.isfinite(value).all() for value in values if isinstance(value, Tensor)):
                found.append(name)

        hooks.append(module.get_submodule(name).register_forward_hook(hook))

    hooks: list[torch.utils.hooks.RemovableHandle] = []
    for name, part in module.named_modules():
        if name and not any(True for _ in part.children()):
            look(name)
    try:
        with torch.no_grad():
            module(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else ""
