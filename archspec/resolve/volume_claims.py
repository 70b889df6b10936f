"""Brackets: is the volume at a point the one that the line says?

In: a bracket, the volume, and which side of a line the file's brackets stand for. Out: a finding, with the formula
and what would make the claim true. After a claim has failed, others are not believed until one holds again: they fail
for the same cause.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Label
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.language.expressions import Lookup, number
from archspec.layers.base import Layer
from archspec.layers.window import size_formula
from archspec.record import replace


def claimed(bracket: s.Bracket, lookup: Lookup) -> Volume:
    """The volume that a bracket says. Raises Finding for one that is none, Unknown for one of unknown names."""
    dimensions: list[int] = []
    for expression in bracket.dimensions:
        value = number(expression, lookup)
        whole = round(value)
        if abs(value - whole) > 1e-9 or whole < 1:
            helps = ("sizes are whole numbers from 1 on",)
            raise Finding("E105", f"a dimension of {value:g}", bracket.span, "not a size", helps=helps)
        dimensions.append(whole)
    if len(dimensions) > 3:
        helps = ("[HxWxC] is a map, [NxC] a sequence, [C] a vector",)
        raise Finding("E304", f"a volume of {len(dimensions)} dimensions", bracket.span, helps=helps)
    return Volume(dimensions)


def agrees(claim: Volume, actual: Volume) -> bool:
    """Whether they say the same; `[1x1x4096]` and `[4096]` do."""
    return claim == actual or (len(claim) == 3 and len(actual) == 1 and claim == (1, 1, *actual))


def false_claim(bracket: s.Bracket, claim: Volume, node: Node, volumes: tuple[Volume, ...], other: str) -> Finding:
    """The finding for a bracket that does not hold at `node`, into which `volumes` go.

    `other` is a note where the file's other reading of brackets would make it true.
    """
    what = node.name.rsplit(".", 1)[-1]
    message = f"the line says {claim}, {what} makes {node.volume}"
    others = () if node.span.start == bracket.span.start else (Label(node.span, f"makes {node.volume}"),)
    notes = [*_formula(node, volumes, claim), *([other] if other else [])]
    helps = [] if other else [*_remedies(node.layer, volumes, claim), f"`{node.volume}` is what it makes"]
    return Finding("E301", message, bracket.span, "claimed here", others=others, notes=notes, helps=helps)


def _formula(node: Node, volumes: tuple[Volume, ...], claim: Volume) -> list[str]:
    layer: Any = node.layer
    if not (hasattr(layer, "kernel") and hasattr(layer, "pads") and volumes and volumes[0].is_map):
        return []
    if claim.spatial == node.volume.spatial:
        return []
    axis = 0 if len(claim) != 3 or claim[0] != node.volume[0] else 1
    dilation = getattr(layer, "dilation", (1, 1))
    return [size_formula(volumes[0][axis], layer.kernel[axis], layer.stride[axis], layer.pads[axis], dilation[axis])]


def _remedies(layer: Layer, volumes: tuple[Volume, ...], claim: Volume) -> list[str]:
    """Small changes of the layer that make the claim true."""
    found = []
    for field in ("pad", "stride", "kernel"):
        if field in layer.arguments:
            found += [text for value in range(8) if (text := _attempt(layer, field, value, volumes, claim))][:1]
    if layer.outputs and len(claim) == len(layer.output(volumes)):
        changed = replace(layer, **{layer.outputs: claim.channels})
        if _makes(changed, volumes, claim):
            found.append(f"`{changed.describe()}` makes {claim}")
    return found[:2]


def _attempt(layer: Layer, field: str, value: int, volumes: tuple[Volume, ...], claim: Volume) -> str:
    try:
        converted = layer.arguments[field].kind.convert(value)
    except Finding:
        return ""
    changed = replace(layer, **{field: converted})
    return f"`{changed.describe()}` makes {claim}" if _makes(changed, volumes, claim) else ""


def _makes(layer: Layer, volumes: tuple[Volume, ...], claim: Volume) -> bool:
    try:
        return agrees(claim, layer.output(volumes))
    except Finding:
        return False
