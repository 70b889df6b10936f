"""Where the costs are: "42 % of memory is in the first two CONVs, 89 % of parameters are in FC".

In: a network. Out: one sentence. Memory is attributed to the first few layers of one kind if they have a good part of
it, or else to a size of feature map; parameters and arithmetic to a kind of layer.
"""

from __future__ import annotations

from collections import Counter

from archspec.analyses import Row
from archspec.network import MeasuredNetwork

GOOD_PART = 0.4
FEW = 4
NUMBERS = ("", "", "two ", "three ", "four ")


def where(network: MeasuredNetwork) -> str:
    """Return the sentence, or an empty string if there is nothing to say."""
    rows = network.layers
    parts = [_memory(rows)]
    params, macs = _by_kind(rows, "params"), _by_kind(rows, "macs")
    if params and macs and params[0] == macs[0]:
        parts.append(f"{params[1]} of parameters and {macs[1]} of MACs are in {params[0]}")
    else:
        found = ((params, "parameters"), (macs, "MACs"))
        parts += [f"{share[1]} of {noun} are in {share[0]}" for share, noun in found if share]
    told = ", ".join(part for part in parts if part)
    return f"where it is: {told}" if told else ""


def _memory(rows: tuple[Row, ...]) -> str:
    total = sum(row.cost.activations for row in rows)
    by_kind = Counter[str]()
    for row in rows:
        if row.node.layer.is_weight_layer:
            by_kind[row.node.layer.keyword] += row.cost.activations
    kind = max(by_kind, key=lambda keyword: by_kind[keyword], default="")
    first = [row.cost.activations for row in rows if row.node.layer.keyword == kind]
    for count in range(1, min(FEW, len(first) - 1) + 1):
        if sum(first[:count]) >= GOOD_PART * total:
            noun = f"first {NUMBERS[count]}{kind}s" if count > 1 else f"first {kind}"
            return f"{_percent(sum(first[:count]), total)} of memory is in the {noun}"
    by_size = Counter[tuple[int, ...]]()
    for row in rows:
        by_size[row.node.volume.spatial] += row.cost.activations
    size, held = by_size.most_common(1)[0]
    if not size:
        return ""
    place = f"at {size[0]}x{size[1]}" if len(size) > 1 else f"in sequences of {size[0]}"
    return f"{_percent(held, total)} of memory is {place}"


def _by_kind(rows: tuple[Row, ...], field: str) -> tuple[str, str] | None:
    """Return the kind of layer with the largest share, and the share."""
    by_kind = Counter[str]()
    for row in rows:
        by_kind[row.node.layer.keyword] += getattr(row.cost, field)
    kind, held = by_kind.most_common(1)[0]
    return (kind, _percent(held, by_kind.total())) if held else None


def _percent(part: int, whole: int) -> str:
    """Return a share as a percentage, never rounded up to 100 %."""
    share = 100 * part / whole
    return f"{share:.0f} %" if share < 99.5 or part == whole else f"{int(share * 10) / 10} %"
