"""The shape of a tensor for one image: `[HxWxC]` for a map, `[NxC]` for a sequence, `[C]` for a vector."""

from __future__ import annotations

from math import prod

FLOAT_BYTES = 4  # of a float32: the type of every value


class Volume(tuple[int, ...]):
    """Dimensions with the channels last, as in lectures.

    >>> print(Volume((55, 55, 96)), Volume((55, 55, 96)).values)
    [55x55x96] 290400
    """

    __slots__ = ()

    @property
    def channels(self) -> int:
        """The last dimension: the channels of a map, or the length of a vector."""
        return self[-1]

    @property
    def spatial(self) -> tuple[int, ...]:
        """The other dimensions: `(H, W)`, `(N,)` or `()`."""
        return tuple(self[:-1])

    @property
    def values(self) -> int:
        """The number of values."""
        return prod(self)

    def agrees(self, actual: Volume) -> bool:
        """Whether a claim is true of a volume: `[1x1x4096]` is of `[4096]`."""
        return self == actual or (len(self) == 3 and len(actual) == 1 and self == (1, 1, *actual))

    @property
    def is_map(self) -> bool:
        """Whether it has a height and a width."""
        return len(self) == 3

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, counted after the batch, as torch and ONNX have them."""
        return 1 if self.is_map else len(self)

    @property
    def laid_out(self) -> tuple[int, ...]:
        """The dimensions after the batch in torch and ONNX: (C, H, W), (N, C) or (C,)."""
        return (self.channels, *self.spatial) if self.is_map else tuple(self)

    @property
    def kind(self) -> str:
        """The name of its kind in messages."""
        return ("vector", "sequence", "map")[len(self) - 1] if 1 <= len(self) <= 3 else "volume"

    def __str__(self) -> str:
        return "[" + "x".join(map(str, self)) + "]"
