"""The totals of a network, in a few lines under its table.

In: a network. Out: lines of text: totals in values and bytes, where they come from, what was checked, and what the
compiler added or left out. A megabyte is 10^6 bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from archspec.diagnostics.findings import plural
from archspec.graph.volume import FLOAT_BYTES
from archspec.network import MeasuredNetwork
from archspec.report.table import field_text, short
from archspec.report.where import where

MAX_HEADS = 20  # auxiliary classifiers that have a remark each


def summary(network: MeasuredNetwork, batch: int, width: int) -> list[str]:
    """Return the lines under the table, at most `width` wide."""
    totals = [*_totals(network, batch)]
    names = max(len(name) for name, _, _ in totals)
    figures = max(len(figure) for _, figure, _ in totals)
    lines: list[str] = []
    for name, figure, note in totals:
        lead = f"{name:<{names}}  {figure:>{figures}}  "
        lines += _wrapped(lead, note, width)
    remarks = [*_remarks(network)]
    return lines + ([""] if remarks else []) + [line for remark in remarks for line in _wrapped("", remark, width)]


def _wrapped(lead: str, text: str, width: int) -> list[str]:
    if len(lead) + len(text) <= width:
        return [lead + text]
    from textwrap import wrap  # 2 ms, and seldom needed

    broken = wrap(text, max(20, width - len(lead)), break_on_hyphens=False)
    return [(lead if number == 0 else " " * len(lead)) + line for number, line in enumerate(broken)]


def _totals(network: MeasuredNetwork, batch: int) -> Iterator[tuple[str, str, str]]:
    params, bare = network.params, network.params_no_bias
    yield "parameters", f"{params:,}", f"{bare:,} without biases; {bytes_text(FLOAT_BYTES * params)} in float32"
    yield "MACs", f"{network.macs:,}", "multiply-accumulates of convolutions and weight matrices, one image"
    if network.attention_macs:
        yield "", f"{network.attention_macs:,}", "of attention's own products, in addition"
    counted = "2 x (MACs + attention's)" if network.attention_macs else "2 x MACs"
    yield "FLOPs", f"{network.flops:,}", f"{counted}: {short(network.flops)} floating-point operations"
    held = bytes_text(FLOAT_BYTES * network.activations)
    yield "memory", f"{network.activations:,}", f"values, forward, one image: {held} in float32"
    training = bytes_text(network.training_bytes(batch))
    yield "training", training, f"peak of a training step: batch {batch:,}, SGD with momentum, float32"
    yield "weight layers", f"{network.weight_layers:,}", "along the longest path"
    if len(network.inputs) > 1 or len(network.outputs) > 1:
        from archspec.report.ends import ends  # most networks have one input and one output

        yield from ends(network)
        return
    field = network.analysis.field
    if field:
        more = "; +: through a global layer, the whole map" if field.is_partial else ""
        yield "receptive field", field_text(field), f"pixels, of the last map{more}"


def bytes_text(size: int) -> str:
    """Return a size in a readable unit: 553.4 MB."""
    for limit, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= limit:
            return f"{size / limit:#.4g} {unit}" if size < 9999.5 * limit else f"{size / limit:,.0f} {unit}"
    return f"{size} B"


def _remarks(network: MeasuredNetwork) -> Iterator[str]:
    text = where(network)
    if text:
        yield text
    heads = network.graph.heads
    told = [*zip(heads, network.head_layers, network.auxiliary, strict=True)][:MAX_HEADS]
    for head, rows, totals in told:
        before = network.graph.nodes[rows[0].node.inputs[0]].name
        yield (
            f"auxiliary classifier after {before}, loss weight {head.weight:g}: {totals.params:,} parameters,"
            f" {totals.macs:,} MACs, in training only; not in the totals above"
        )
    if len(heads) > len(told):
        yield f"and {plural(len(heads) - len(told), 'more auxiliary classifier')}"
    yield from _implied(network)
    if network.sources is not None:
        from archspec.report.sources import remarks  # most specs name none

        yield from remarks(network)
    yield from _checked(network)


def _implied(network: MeasuredNetwork) -> Iterator[str]:
    """Yield what `after` added, and how many biases a BN makes unnecessary."""
    added = Counter(node.layer.describe() for node in network.graph.nodes if node.implied)
    if added:
        yield "`after` added " + ", ".join(f"{count:,} {layer}" for layer, count in added.items())
    bare = [
        node
        for node in network.graph.nodes
        if node.layer.absorbs_bias and network.graph.nodes[node.inputs[0]].layer.lacks_bias
    ]
    if bare:
        yield f"{plural(len(bare), 'weight layer')} without bias: a BN follows, whose shift replaces it"


def _checked(network: MeasuredNetwork) -> Iterator[str]:
    resolved, verdict = network.resolved, network.verdict
    bare = f" ({verdict.without_biases:,} of them without biases)" if verdict.without_biases else ""
    counts = [
        (resolved.brackets_checked, "volumes", ""),
        (verdict.memory, "memory", ""),
        (verdict.params, "parameters", bare),
        (verdict.totals, "totals", ""),
        (network.published.held if network.published else 0, "published", ""),
    ]
    held = [f"{what} {count:,}{note}" for count, what, note in counts if count]
    if held:
        yield "claims that hold: " + ", ".join(held)
    suspended = resolved.brackets_suspended + verdict.suspended
    suspended += network.published.suspended if network.published else 0
    if suspended:
        yield f"{plural(suspended, 'claim')} not checked: changed by the command line"
