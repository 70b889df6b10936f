"""What CONV, DWCONV, UPCONV and FC share: a linear map with a bias that may be left out, and the word `linear`."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar

from archspec.layers.base import Layer
from archspec.record import replace


class _Fields(Protocol):
    """The fields that each of the four declares, in the order of its own arguments."""

    @property
    def bias(self) -> bool | None: ...
    @property
    def linear(self) -> bool: ...


W = TypeVar("W", bound="Weighted")


class Weighted(Layer):
    """Weights times the input, plus a bias."""

    is_weight_layer: ClassVar[bool] = True
    is_linear: ClassVar[bool] = True
    output_axis: ClassVar[int | None] = 0

    @property
    def is_marked_linear(self: _Fields) -> bool:
        return self.linear

    @property
    def has_optional_bias(self: _Fields) -> bool:
        return self.bias is None

    @property
    def lacks_bias(self: _Fields) -> bool:
        return self.bias is False

    def without_bias(self: W) -> W:
        return replace(self, bias=False)
