"""Merges: add, concat, mul. A merge joins the branches written under it."""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.base import Example, Layer


def _listed(inputs: tuple[Volume, ...]) -> str:
    return ", ".join(map(str, inputs[:-1])) + f" and {inputs[-1]}"


class Add(Layer):
    """The sum of volumes of one shape."""

    keyword = "add"
    examples = (Example("add", ((4, 5, 3), (4, 5, 3))), Example("add", ((6, 4), (6, 4), (6, 4))))

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        first = inputs[0]
        for other in inputs[1:]:
            if other != first:
                raise Finding("E206", f"`add` cannot add {_listed(inputs)}", helps=_bridge(first, other))
        return first


class Concat(Layer):
    """Volumes of one height and width, channels behind channels."""

    keyword = "concat"
    examples = (Example("concat", ((4, 5, 3), (4, 5, 2))), Example("concat", ((3,), (4,), (5,))))

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        first = inputs[0]
        for other in inputs[1:]:
            if other.spatial != first.spatial:
                helps = ("concat joins channels: give the branches one stride, and pads that keep the size",)
                raise Finding("E206", f"`concat` cannot join {_listed(inputs)}", helps=helps)
        return Volume((*first.spatial, sum(volume.channels for volume in inputs)))


class Mul(Layer):
    """The product of two volumes; a vector `[C]` scales each channel of a map or a sequence."""

    keyword = "mul"
    examples = (
        Example("mul", ((4, 5, 3), (4, 5, 3))),
        Example("mul", ((4, 5, 3), (3,))),
        Example("mul", ((6, 4), (4,))),
    )

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        largest = max(inputs, key=len)
        for volume in inputs:
            if volume not in (largest, Volume(largest[-1:])):
                helps = (f"a branch that scales {largest} makes {largest} or {Volume(largest[-1:])}",)
                raise Finding("E206", f"`mul` cannot multiply {_listed(inputs)}", helps=helps)
        return largest


def _strided(spatial: tuple[int, ...], stride: int) -> tuple[int, ...]:
    """The height and width behind a 1x1 window."""
    return tuple((size - 1) // stride + 1 for size in spatial)


def _bridge(first: Volume, other: Volume) -> tuple[str, ...]:
    """What makes the second volume the first."""
    if not (first.is_map and other.is_map):
        return ("the branches of `add` make one shape",)
    large, small = max(first, other), min(first, other)
    stride = next((s for s in range(1, 9) if _strided(large.spatial, s) == small.spatial), 0)
    if not stride:
        return ("the branches of `add` make one shape: look at their strides and pads",)
    target, source = (small, large) if stride > 1 else (first, other)
    step = f"CONV {target.channels} 1x1" + (f" s{stride}" if stride > 1 else "")
    return (f"`{step}` makes {target} of {source}",)
