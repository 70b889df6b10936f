"""Other windows that keep a size, or multiply it, exactly: an even window, and an UPCONV with an odd one.

In: a branch that does not fit. Out: fields to change, by the index of the node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archspec.graph.ir import Node
from archspec.layers.conv import Convolution
from archspec.layers.pool import Pooling
from archspec.layers.upconv import TransposedConv
from archspec.resolve.helps.branches.branch import Branch


def exact(odd: Branch) -> Iterator[dict[int, dict[str, Any]]]:
    """Yield changes of one layer each."""
    for node in odd.nodes:
        if isinstance(node.layer, TransposedConv):
            changes = _of_upconv(node.layer)
        elif isinstance(node.layer, Convolution | Pooling):
            changes = _of_even_window(node.layer)
        else:
            continue
        yield from ({node.index: change} for change in changes)


def lost_pixels(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield a note for each even window whose pads leave a pixel out."""
    for node in nodes:
        layer = node.layer
        if isinstance(layer, Convolution | Pooling) and layer.stride == (1, 1):
            if isinstance(layer, Convolution) and layer.dilation != (1, 1):
                continue
            (side, other), pads = layer.kernel, layer.pads
            if side == other and side % 2 == 0 and pads == (((side - 1) // 2,) * 2,) * 2 and side > 2:
                yield f"an even window loses a pixel: {side}x{side} with p{pads[0][0]} produces one row fewer"


def _of_upconv(layer: TransposedConv) -> Iterator[dict[str, Any]]:
    """Yield the pads that crop the surplus of the window, and the window that has none."""
    surplus = [side - step for side, step in zip(layer.kernel, layer.stride, strict=True)]
    if min(surplus) >= 0:
        yield {"pad": tuple((more - more // 2, more // 2) for more in surplus)}
    yield {"kernel": layer.stride, **({"pad": ((0, 0), (0, 0))} if any(map(any, layer.pad)) else {})}


def _of_even_window(layer: Convolution | Pooling) -> Iterator[dict[str, Any]]:
    """Yield the odd window with the same pads, and the pads of which one side has a pixel more."""
    if any(side % 2 for side in layer.kernel) or any(step != 1 for step in layer.stride):
        return
    yield {"kernel": tuple(side - 1 for side in layer.kernel)}
    if isinstance(layer, Convolution) and layer.dilation == (1, 1):
        yield {"pad": tuple(((side - 1) // 2, side // 2) for side in layer.kernel)}
