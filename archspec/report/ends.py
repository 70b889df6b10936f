"""Several outputs, and receptive fields in several inputs, in the summary under a table.

In: a network. Out: names, figures and notes, a line for each output.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.analyses import Row
from archspec.diagnostics.findings import printable
from archspec.network import MeasuredNetwork
from archspec.report.table import field_text


def ends(network: MeasuredNetwork) -> Iterator[tuple[str, str, str]]:
    """Yield the lines."""
    rows = [network.analysis.rows[output.node] for output in network.graph.outputs]
    for output, row in zip(network.graph.outputs, rows, strict=True):
        yield f"output {printable(output.name)}", str(row.node.volume), f"receptive field {_fields(row)}"
    if any("+" in _fields(row) for row in rows):
        yield "", "", "+: through a global layer, the whole map"


def _fields(row: Row) -> str:
    """Return the receptive field of a layer: 483; or in each input that it sees: 10 of left, 12 of right."""
    named = [f"{field_text(field)} of {printable(name)}" for name, field in row.fields]
    return ", ".join(named) if named else field_text(row.field)
