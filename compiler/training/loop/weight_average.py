"""Averaged weights, which are often better than the last ones (Polyak & Juditsky 1992).

In: a module after each step. Out: the average, which takes the place of the weights for an evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """An exponential moving average of the weights and of batch statistics, over about 1 / (1 - decay) steps.

    It starts as a plain mean, so that the first weights are soon forgotten: after n steps the decay is at most
    (1 + n) / (10 + n).
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def see(self, module: nn.Module, steps: int, finite: Tensor) -> None:
        """Take the weights after `steps` steps, unless the last step was skipped: the device decides."""
        share = (1 - min(self.decay, (1 + steps) / (10 + steps))) * finite
        pairs = [(self.values[name], value) for name, value in module.state_dict().items()]
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        own = [pair[0] for pair in floats]
        change = list(torch._foreach_sub([pair[1] for pair in floats], own))
        torch._foreach_mul_(change, share)
        torch._foreach_add_(own, change)
        for kept, value in pairs:
            if not kept.is_floating_point():
                kept.copy_(value)

    @contextmanager
    def swapped_into(self, module: nn.Module) -> Iterator[None]:
        """Give the module the averaged weights for a while."""
        own = {name: value.clone() for name, value in module.state_dict().items()}
        module.load_state_dict(self.values)
        yield
        module.load_state_dict(own)
