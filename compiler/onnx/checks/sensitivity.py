"""How much a network's outputs change if every value that it computes with changes a little.

In: a torch module in float32, inputs, its outputs. Out: S of each output, its largest change per relative change of
the operands. It is the magnitude of what was summed, in units of the output, where the output itself says nothing of
it: the mean of a normalised map is 0, whatever is summed.

A floating-point sum of products is the exact sum of operands that are off by a few roundings each (backward error;
Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1), each operand by another amount. So every
operation is given operands x (1 + h d) with d = -1 or 1 by chance and h = 2^-15, the operands of each on their own, and
S = max|f(x (1 + h d)) - f(x)| / h. In float32, whose rounding is u = 2^-24, outputs then have an error of about u S
(Monte Carlo arithmetic; Parker 1997, "Monte Carlo Arithmetic: exploiting randomness in floating-point arithmetic").
A bound on the sum of the absolute values of all products would be no estimate: it doubles with every few layers.

Matrix products are summed in blocks. Means and the statistics of normalisations may be summed one by one, and the
error of n terms then grows with sqrt(n) (Higham & Mary 2019, "A New Approach to Probabilistic Rounding Error
Analysis"): the operands of a mean are off by sqrt(n) h, and so is the result as a whole. A normalised result is scaled
by 1 + sqrt(n) h d, and each group is shifted by sqrt(n) h d times its root mean square divided by its deviation, as
that divides the error of the mean too. (onnxruntime 1.31.1 needs it: its mean of 409,600 pixels is 45 u off. Its
InstanceNormalization adds up one by one, and where all values have one sign the roundings lean to one side: it is
7.5 sqrt(n) u off for 180,000 values. GN and IN therefore count as LEANING^2 n terms.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

STEP = 2.0**-15
LEANING = 3
SEED = 1
ENOUGH = 8  # outputs: of fewer the largest change may be small by chance


def sensitivity(module: nn.Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[float, ...]:
    """Return S of each output of a module in inference, from a batch of one; NaN if an output is NaN."""
    copies = -(-ENOUGH // min(output.numel() for output in outputs))
    with torch.inference_mode(), Perturbed([*module.parameters(), *module.buffers()]):
        found = module(*(one.repeat(copies, *[1] * (one.dim() - 1)) for one in inputs))
    pairs = zip(together(found), outputs, strict=True)
    return tuple(float((changed - output).abs().max() / STEP) for changed, output in pairs)


def together(outputs: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The outputs of a module as a tuple, also where it returns a single one."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)


class Perturbed(TorchDispatchMode):
    """Perturbs the operands of each operation that computes; weights stay as they are."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it so
        self.weights = {weight.untyped_storage().data_ptr() for weight in weights}
        self.generator = torch.Generator().manual_seed(SEED)
        self.signs = torch.empty(0)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # otherwise the first operation imports torch's compiler, which takes 2 seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation on perturbed operands; one that only moves values or makes a view runs as it is."""
        kind = func.overloadpacket
        if func.is_view or kind in MOVES:
            return func(*args, **(kwargs or {}))
        long = math.sqrt(TERMS[kind](args)) * STEP if kind in TERMS else 0.0
        step = long if kind in MEANS else STEP
        written = args[0] if func._schema.is_mutable else None
        result = func(*tree_map(lambda one: self._perturbed(one, step, one is written), args), **(kwargs or {}))
        if not long:
            return result
        result = result * (1 + long * self._some(1))
        if kind in MEANS:
            return result
        spread = SPREADS[kind](*args)
        signs = self._some(spread[..., :1].numel()).view(spread[..., :1].shape)
        return result + (long * signs * spread).view_as(result)

    def _perturbed(self, operand: Any, step: float, in_place: bool) -> Any:
        if not isinstance(operand, Tensor) or not operand.is_floating_point() or not operand.numel():
            return operand
        if operand.untyped_storage().data_ptr() in self.weights:
            return operand
        factors = self._some(operand.numel()).view(operand.shape).mul(step).add_(1)
        return operand.mul_(factors) if in_place else operand * factors

    def _some(self, number: int) -> Tensor:
        """Return signs from a random place in a row of them: drawing all anew would take most of the time."""
        if len(self.signs) < 2 * number:
            self.signs = torch.empty(2 * number + ENOUGH).bernoulli_(generator=self.generator).mul_(2).sub_(1)
        begin = int(torch.randint(0, len(self.signs) - number + 1, (), generator=self.generator))
        return self.signs[begin : begin + number]


def _spread_of_groups(
    x: Tensor, groups: int, weight: Tensor | None = None, _bias: Tensor | None = None, eps: float = 1e-5, *_: Any
) -> Tensor:
    """Return root mean square / deviation of each group of channels, times the weight, [B, groups, values]."""
    found = _spread(x.reshape(len(x), groups, -1), eps).expand(-1, -1, x[0].numel() // groups)
    if weight is None:
        return found
    return found * weight.repeat_interleave(x[0, 0].numel()).view(groups, -1)


def _spread_of_places(
    x: Tensor, shape: list[int], weight: Tensor | None = None, _bias: Tensor | None = None, eps: float = 1e-5, *_: Any
) -> Tensor:
    """Return root mean square / deviation of each place, times the weight, [..., values]."""
    found = _spread(x.flatten(-len(shape)), eps).expand(*x.shape[: -len(shape)], math.prod(shape))
    return found if weight is None else found * weight.flatten()


def _spread(values: Tensor, eps: float) -> Tensor:
    variance, mean = torch.var_mean(values, -1, correction=0, keepdim=True)
    return ((variance + mean.square()) / (variance + eps)).sqrt()


def _packets(*names: str) -> set[Any]:
    return {getattr(torch.ops.aten, name) for name in names}


MOVES = _packets("cat", "clone", "constant_pad_nd", "contiguous", "copy_", "empty", "flatten", "index", "pad", "repeat")
MOVES |= _packets("max_pool2d", "max_pool2d_with_indices", "reshape", "roll", "unbind")
MEANS = _packets("mean", "avg_pool2d", "avg_pool3d")
TERMS: dict[Any, Callable[[Any], int]] = {  # how many, from the operation's arguments
    torch.ops.aten.mean: lambda args: math.prod(args[0].shape[axis] for axis in args[1]),
    torch.ops.aten.avg_pool2d: lambda args: math.prod(args[1]),
    torch.ops.aten.avg_pool3d: lambda args: math.prod(args[1]),
    torch.ops.aten.group_norm: lambda args: LEANING**2 * args[0][0].numel() // args[1],
    torch.ops.aten.layer_norm: lambda args: math.prod(args[1]),
}
SPREADS: dict[Any, Callable[..., Tensor]] = {
    torch.ops.aten.group_norm: _spread_of_groups,
    torch.ops.aten.layer_norm: _spread_of_places,
}
