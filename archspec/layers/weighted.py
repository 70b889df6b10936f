"""What CONV, DWCONV, UPCONV and FC share: a linear map with a bias that may be left out, and the word `linear`."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from archspec.diagnostics.errors import Finding
from archspec.layers.arguments import Respelling
from archspec.layers.base import Layer
from archspec.record import replace

INIT_DOC = "the standard deviation of the first weights, which are normal; 0 for zeros"
BIAS_INIT_DOC = "the first value of the biases; like `bias`, it keeps them before a BN"
SCALE_INIT_DOC = "the first value of the scale"


@runtime_checkable
class Startable(Protocol):
    """A layer whose step may state its first weights: a standard deviation, or for a normalisation its scale."""

    @property
    def init(self) -> float | None: ...


@runtime_checkable
class Biased(Protocol):
    """The fields that each of the four declares, in the order of its own arguments."""

    @property
    def bias(self) -> bool | None: ...
    @property
    def linear(self) -> bool: ...
    @property
    def bias_init(self) -> float | None: ...


W = TypeVar("W", bound="Weighted")


class Weighted(Layer):
    """Weights times the input, plus a bias."""

    is_weight_layer: ClassVar[bool] = True
    is_linear: ClassVar[bool] = True
    output_axis: ClassVar[int | None] = 0

    @property
    def is_marked_linear(self: Biased) -> bool:
        return self.linear

    @property
    def has_optional_bias(self: Biased) -> bool:
        return self.bias is None and self.bias_init is None

    def need_bias(self: Biased) -> None:
        """Raise Finding for a first value of biases that the step leaves out."""
        if self.bias is False and self.bias_init is not None:
            helps = (Respelling("`{}`", bias=None), Respelling("`{}`", bias_init=None))
            raise Finding("E205", "`bias_init` requires biases, and `nobias` leaves them out", helps=helps)

    @property
    def lacks_bias(self: Biased) -> bool:
        return self.bias is False

    def without_bias(self: W) -> W:
        return replace(self, bias=False)
