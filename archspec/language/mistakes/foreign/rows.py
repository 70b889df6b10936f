"""Layers of one dimension, as those of a map of height 1.

In: what reads a layer of two dimensions. Out: what reads the same layer of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from archspec.language.mistakes.foreign.calls import Call
from archspec.language.mistakes.foreign.sketch import ListedLayer
from archspec.record import replace


def row(read: Callable[[Call], ListedLayer | None]) -> Callable[[Call], ListedLayer | None]:
    """Return the reader of a layer of one dimension, as that of a map of height 1."""

    def layer(call: Call) -> ListedLayer | None:
        one = read(call)
        if one is None or one.kernel is None:
            return one
        if one.is_same and one.stride != (1, 1):
            return None
        others = tuple(re.sub(r"^d(\d+)$", r"d1x\1", other) for other in one.others)
        kernel, stride, pad = (1, one.kernel[1]), (1, one.stride[1]), (0, one.pad[1])
        return replace(one, kernel=kernel, stride=stride, pad=pad, others=others, is_row=True)

    return layer
