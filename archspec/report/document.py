"""A measured network as data, for `--json`.

In: a network. Out: dictionaries, lists, numbers and strings. Volumes are `[H, W, C]`, `[N, C]` or `[C]`; receptive
fields `[height, width]` in pixels of the input, not clipped at its edges.
"""

from __future__ import annotations

from typing import Any

from archspec.analyses import Row
from archspec.diagnostics.findings import listed
from archspec.graph.ir import Output
from archspec.network import MeasuredNetwork
from archspec.report.sources import as_data


def document(network: MeasuredNetwork, batch: int) -> dict[str, Any]:
    """Return the network as `archspec check --json` writes it; `training_bytes` is for `batch` images per step."""
    field = network.analysis.field
    return {
        "network": network.name,
        "title": network.title,
        **as_data(network),
        "input": list(network.input),
        "output": list(network.output),
        "inputs": [{"name": name, "volume": list(volume)} for name, volume in network.inputs],
        "outputs": [_output(network, output) for output in network.graph.outputs],
        "params": network.params,
        "params_no_bias": network.params_no_bias,
        "macs": network.macs,
        "attention_macs": network.attention_macs,
        "flops": network.flops,
        "activations": network.activations,
        "batch": batch,
        "training_bytes": network.training_bytes(batch),
        "weight_layers": network.weight_layers,
        "receptive_field": None if field is None else list(field.size),
        "global": field is not None and field.is_global,
        "layers": [_layer(network, row) for row in network.layers],
        "auxiliary": _auxiliary(network),
        **listed(network.diagnostics),
    }


def _layer(network: MeasuredNetwork, row: Row) -> dict[str, Any]:
    node, cost, graph = row.node, row.cost, network.graph
    volumes = [list(volume) for volume in graph.inputs(node)]
    source = node.span.source
    return {
        "name": node.name,
        "layer": node.layer.describe(),
        "inputs": [graph.nodes[index].name for index in node.inputs],
        "input": volumes[0] if len(volumes) == 1 else volumes or None,
        "output": list(node.volume),
        "params": cost.params,
        "params_no_bias": cost.params - cost.biases,
        "tensors": [tensor.name for tensor in graph.tensors(node)] if node.inputs else [],
        "owner": None if node.weights is None else node.weights.owner,
        "macs": cost.macs,
        "attention_macs": cost.attention_macs,
        "activations": cost.activations,
        "receptive_field": list(row.receptive_field),
        **_by_input(row),
        "global": row.field.is_global,
        "file": source.name,
        "line": node.span.line,
    }


def _output(network: MeasuredNetwork, output: Output) -> dict[str, Any]:
    row = network.analysis.rows[output.node]
    return {
        "name": output.name,
        "layer": row.node.name,
        "volume": list(row.node.volume),
        "receptive_field": list(row.receptive_field),
        **_by_input(row),
        "global": row.field.is_global,
    }


def _by_input(row: Row) -> dict[str, Any]:
    """Return the receptive fields in each input, if there are several."""
    return {"receptive_fields": {name: list(field.size) for name, field in row.fields}} if row.fields else {}


def _auxiliary(network: MeasuredNetwork) -> list[dict[str, Any]]:
    """Return each auxiliary classifier with its layers, which are in no total."""
    found = []
    for head, rows, totals in zip(network.graph.heads, network.head_layers, network.auxiliary, strict=True):
        layers = [_layer(network, row) for row in rows]
        found.append({"weight": head.weight, "params": totals.params, "macs": totals.macs, "layers": layers})
    return found
