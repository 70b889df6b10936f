"""Merges: add, concat, mul. A merge joins the branches written under it."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.base import Example, Layer, OnnxNode
from archspec.layers.demand import ADD, CONCAT, Demand, Workload


def _listed(inputs: tuple[Volume, ...]) -> str:
    return ", ".join(map(str, inputs[:-1])) + f" and {inputs[-1]}"


class Add(Layer):
    """The sum of volumes of the same shape."""

    keyword = "add"
    overwrites = True
    passes_values = True
    memory = ADD
    examples = (Example("add", ((4, 5, 3), (4, 5, 3))), Example("add", ((6, 4), (6, 4), (6, 4))))

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        first = inputs[0]
        for other in inputs[1:]:
            if other != first:
                raise Finding("E206", f"`add` cannot add {_listed(inputs)}", helps=_bridge(first, other))
        return first

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return " + ".join(names)

    def overwriting(self, names: Sequence[str]) -> str:
        return names[0] + "".join(f".add_({name})" for name in names[1:])

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Add" if len(inputs) == 2 else "Sum")


class Concat(Layer):
    """Volumes of the same height and width, joined along their channels."""

    keyword = "concat"
    passes_values = True
    memory = CONCAT
    examples = (Example("concat", ((4, 5, 3), (4, 5, 2))), Example("concat", ((3,), (4,), (5,))))

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        first = inputs[0]
        for other in inputs[1:]:
            if other.spatial != first.spatial:
                helps = ("concat joins channels: give the branches the same stride, and pads that keep the size",)
                raise Finding("E206", f"`concat` cannot join {_listed(inputs)}", helps=helps)
        return Volume((*first.spatial, sum(volume.channels for volume in inputs)))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return f"torch.cat(({', '.join(names)}), {inputs[0].channel_axis})"

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Concat", {"axis": inputs[0].channel_axis})


class Mul(Layer):
    """The product of two volumes; a vector `[C]` scales each channel of a map or a sequence."""

    keyword = "mul"
    passes_values = True  # scaled
    is_pairwise = True
    examples = (
        Example("mul", ((4, 5, 3), (4, 5, 3))),
        Example("mul", ((4, 5, 3), (3,))),
        Example("mul", ((6, 4), (4,))),
    )

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        largest = max(inputs, key=len)
        for volume in inputs:
            if volume not in (largest, Volume(largest[-1:])):
                helps = (f"a branch that scales {largest} outputs {largest} or {Volume(largest[-1:])}",)
                raise Finding("E206", f"`mul` cannot multiply {_listed(inputs)}", helps=helps)
        return largest

    def demand(self, at: Workload) -> Demand:
        # both factors are kept; the gradient of one that was broadcast is a whole map until it is summed
        return Demand(keeps_inputs=True, backward_spike=2 * at.made)

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        widest = max(map(len, inputs))
        broad = {3: "[:, :, None, None]", 2: "[:, None]", 1: ""}[widest]
        pairs = zip(names, inputs, strict=True)
        return " * ".join(name if len(volume) == widest else name + broad for name, volume in pairs)


def _strided(spatial: tuple[int, ...], stride: int) -> tuple[int, ...]:
    """The height and width after a 1x1 window."""
    return tuple((size - 1) // stride + 1 for size in spatial)


def _bridge(first: Volume, other: Volume) -> tuple[str, ...]:
    """Hints that make the two volumes equal."""
    if not (first.is_map and other.is_map):
        return ("the branches of `add` need the same shape",)
    large, small = max(first, other), min(first, other)
    stride = next((s for s in range(1, 9) if _strided(large.spatial, s) == small.spatial), 0)
    if not stride:
        return ("the branches of `add` need the same shape: look at their strides and pads",)
    target, source = (small, large) if stride > 1 else (first, other)
    step = f"CONV {target.channels} 1x1" + (f" s{stride}" if stride > 1 else "")
    return (f"`{step}` turns {source} into {target}",)
