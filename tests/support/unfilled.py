"""Modules without random first weights, for tests that give them others: filling them takes longer than a forward pass.

In: nothing; a context. Out: matrices and filters keep what was in memory. Biases are filled.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_RANDOM = (Tensor.uniform_, Tensor.normal_, nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_)


class Unfilled(TorchFunctionMode):
    """Leaves out the random first values of tensors of two dimensions and more."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {**dict(zip(("tensor",), args, strict=False)), **(kwargs or {})}
        if func in _RANDOM and given["tensor"].dim() > 1:
            return given["tensor"]
        return func(*args, **(kwargs or {}))
