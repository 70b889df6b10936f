"""Steps whose loss or gradients are not finite: skipped, counted, and after a few in a row the end of a run.

In: after each backward pass, the loss and the gradients. Out: a flag on the device, by which the optimiser, the average
of the weights and the statistics of batch normalisations leave a step out; the host reads it a step later, when the
device is busy with the next one, so nobody waits for it. Gradients and the flag are the same on all processes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

IN_A_ROW = 10


class Guard:
    """The verdicts on the steps of a run."""

    def __init__(self, module: nn.Module) -> None:
        self.skipped = 0
        self.in_a_row = 0
        self._buffers = [one for one in module.buffers() if one.is_floating_point()]
        self._before: list[Tensor] = []
        self._pending: Tensor | None = None
        self._arrived: torch.cuda.Event | None = None

    def begin(self) -> None:
        """Before the forward pass: keep the statistics, which it changes."""
        self._before = [one.clone() for one in self._buffers]

    def end(self, finite: Tensor) -> None:
        """After the update: `finite`, of one value, says whether it was one."""
        for now, before in zip(self._buffers, self._before, strict=True):
            now.copy_(torch.where(finite, now, before))
        self._pending = finite.to("cpu", non_blocking=True)
        if finite.is_cuda:
            self._arrived = torch.cuda.Event()
            self._arrived.record()

    def settled(self) -> bool | None:
        """Whether the last step was an update; nothing where that was said already."""
        if self._pending is None:
            return None
        if self._arrived is not None:
            self._arrived.synchronize()
        finite, self._pending = bool(self._pending), None
        self.skipped += not finite
        self.in_a_row = 0 if finite else self.in_a_row + 1
        return finite


def first_wrong(module: nn.Module, images: Tensor) -> str:
    """The name of the first layer whose result is not finite for these images, or nothing."""
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
