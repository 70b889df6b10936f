"""Pairs of parameters of two modules that compute the same: in the order in which a forward pass first uses them."""

from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class FirstUses(TorchFunctionMode):
    """Notes parameters in the order in which they are used."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, nn.Parameter] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = (*args, *(kwargs or {}).values())
        flat = [one for value in given for one in (value if isinstance(value, list | tuple) else [value])]
        self.found |= {id(one): one for one in flat if isinstance(one, nn.Parameter) and id(one) not in self.found}
        return func(*args, **(kwargs or {}))


def in_order(module: nn.Module, inputs: tuple[Tensor, ...]) -> list[nn.Parameter]:
    """The parameters of a module in the order of their first uses."""
    with FirstUses() as uses:
        module(*inputs)
    return list(uses.found.values())
