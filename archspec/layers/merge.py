"""Merges: add, concat, mul. A merge joins the branches written under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archspec.diagnostics.errors import Finding
from archspec.graph.volume import Volume
from archspec.layers.base import Example, Layer, OnnxNode
from archspec.layers.demand import ADD, CONCAT, Demand, Workload


def _listed(inputs: tuple[Volume, ...]) -> str:
    return ", ".join(map(str, inputs[:-1])) + f" and {inputs[-1]}"


def _odd_one(shapes: list[str]) -> tuple[str, ...]:
    """A note on the branch that differs from all others, if there are at least three."""
    (usual, most), *others = Counter(shapes).most_common()
    if len(others) != 1 or most != len(shapes) - 1 or most < 2:
        return ()
    ((odd, _),) = others
    return (f"branch {shapes.index(odd) + 1} is {odd}, the others {usual}",)


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
                raise Finding("E206", f"`add` cannot add {_listed(inputs)}", notes=_odd_one([*map(str, inputs)]))
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
    keeps_channels = False
    passes_values = True
    memory = CONCAT
    examples = (Example("concat", ((4, 5, 3), (4, 5, 2))), Example("concat", ((3,), (4,), (5,))))

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        first = inputs[0]
        for other in inputs[1:]:
            if other.spatial != first.spatial:
                sizes = ["x".join(map(str, volume.spatial)) for volume in inputs]
                notes = ("the branches must have the same height and width", *_odd_one(sizes))
                raise Finding("E206", f"`concat` cannot join {_listed(inputs)}", notes=notes)
        return Volume((*first.spatial, sum(volume.channels for volume in inputs)))

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        return f"torch.cat(({', '.join(names)}), {inputs[0].channel_axis})"

    def onnx(self, inputs: tuple[Volume, ...]) -> OnnxNode:
        return OnnxNode("Concat", {"axis": inputs[0].channel_axis})


class Mul(Layer):
    """The product of volumes of full size or 1 in each dimension; `[C]` scales the channels."""

    keyword = "mul"
    passes_values = True  # scaled
    is_pairwise = True
    examples = (
        Example("mul", ((4, 5, 3), (4, 5, 3))),
        Example("mul", ((4, 5, 3), (3,))),
        Example("mul", ((4, 5, 3), (4, 5, 1))),
        Example("mul", ((1, 1, 3), (4, 5, 3))),
        Example("mul", ((4, 1, 3), (1, 5, 1))),
        Example("mul", ((6, 4), (4,))),
        Example("mul", ((6, 4), (6, 1))),
    )

    def output(self, inputs: tuple[Volume, ...]) -> Volume:
        largest = max(inputs, key=lambda one: (len(one), one.values))
        sized = [Volume((*[1] * (len(largest) - 1), *one)) if len(one) == 1 else one for one in inputs]
        full = Volume(map(max, *sized))
        for volume in sized:
            if len(volume) != len(full) or any(volume[axis] not in (1, size) for axis, size in enumerate(full)):
                gate = f", {Volume((*largest.spatial, 1))}" if largest.spatial else ""
                notes = (f"a branch that scales {largest} outputs {largest}{gate} or {Volume(largest[-1:])}",)
                raise Finding("E206", f"`mul` cannot multiply {_listed(inputs)}", notes=notes)
        return full

    def demand(self, at: Workload) -> Demand:
        # both factors are kept; the gradient of one that was broadcast is a whole map until it is summed
        return Demand(keeps_inputs=True, backward_spike=2 * at.made)

    def expression(self, names: Sequence[str], inputs: tuple[Volume, ...]) -> str:
        widest = max(map(len, inputs))
        broad = {3: "[:, :, None, None]", 2: "[:, None]", 1: ""}[widest]
        pairs = zip(names, inputs, strict=True)
        return " * ".join(name if len(volume) == widest else name + broad for name, volume in pairs)
