"""How much a network's outputs change if every value that it computes with changes a little.

In: a torch module in float32, images, its outputs. Out: S, the largest change of an output per relative change of the
operands. It is the magnitude of what was summed, in units of the output, where the output itself says nothing of it:
the mean of a normalised map is 0, whatever is summed.

A floating-point sum of products is the exact sum of operands that are off by a few roundings each (backward error;
Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1), each operand by another amount. So every
operation is given operands x (1 + h d) with d = -1 or 1 by chance and h = 2^-12, the operands of each on their own, and
S = max|f(x (1 + h d)) - f(x)| / h. In float32, whose rounding is u = 2^-24, outputs then have an error of about u S
(Monte Carlo arithmetic; Parker 1997, "Monte Carlo Arithmetic: exploiting randomness in floating-point arithmetic").
A bound on the sum of the absolute values of all products would be no estimate: it doubles with every few layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

STEP = 2.0**-12
SEED = 1
ENOUGH = 8  # outputs: of fewer the largest change may be small by chance


def sensitivity(module: nn.Module, image: Tensor, outputs: Tensor) -> float:
    """Return S of a module in inference, from a batch of one image and its outputs; NaN if an output is NaN."""
    copies = -(-ENOUGH // outputs.numel())
    with torch.inference_mode(), Perturbed([*module.parameters(), *module.buffers()]):
        changed = module(image.repeat(copies, *[1] * (image.dim() - 1)))
    return ((changed - outputs).abs().max() / STEP).item()


class Perturbed(TorchDispatchMode):
    """Perturbs the operands of each operation that computes; weights stay as they are."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()
        self.weights = {weight.untyped_storage().data_ptr() for weight in weights}
        self.generator = torch.Generator().manual_seed(SEED)
        self.factors = torch.empty(0)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # otherwise the first operation imports torch's compiler, which takes 2 seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation on perturbed operands; one that only moves values or makes a view runs as it is."""
        if func.is_view or func.overloadpacket in MOVES:
            return func(*args, **(kwargs or {}))
        written = args[0] if func._schema.is_mutable else None
        return func(*tree_map(lambda one: self._perturbed(one, one is written), args), **(kwargs or {}))

    def _perturbed(self, operand: Any, in_place: bool) -> Any:
        if not isinstance(operand, Tensor) or not operand.is_floating_point() or not operand.numel():
            return operand
        if operand.untyped_storage().data_ptr() in self.weights:
            return operand
        factors = self._some(operand.numel()).view(operand.shape)
        return operand.mul_(factors) if in_place else operand * factors

    def _some(self, number: int) -> Tensor:
        """Return a part of the factors that begins at a random place: drawing all anew would take most of the time."""
        if len(self.factors) < 2 * number:
            self.factors = torch.empty(2 * number).bernoulli_(generator=self.generator).mul_(2 * STEP).add_(1 - STEP)
        begin = int(torch.randint(0, len(self.factors) - number + 1, (), generator=self.generator))
        return self.factors[begin : begin + number]


MOVES = {
    getattr(torch.ops.aten, name)
    for name in ("cat", "clone", "constant_pad_nd", "copy_", "empty", "index", "max_pool2d_with_indices", "roll")
}
