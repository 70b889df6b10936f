"""Where a network and its figures come from, as text and data.

In: a network. Out: lines of text, or dictionaries for `--json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics.findings import printable
from archspec.network import MeasuredNetwork

_NOUNS = {"top1": "top-1 {} %", "top5": "top-5 {} %", "params": "{} parameters", "macs": "{} MACs"}


def remarks(network: MeasuredNetwork) -> Iterator[str]:
    """Yield what the spec cites, its licence, and the published figures."""
    sources = network.sources
    if sources is None:
        return
    if sources.cites:
        yield f"cites {printable('; '.join(sources.cites))}"
    if sources.license:
        yield f"licence {printable(sources.license)}"
    if sources.published:
        yield "published: " + ", ".join(_NOUNS[one.name].format(one.figure.span.text) for one in sources.published)


def as_data(network: MeasuredNetwork) -> dict[str, Any]:
    """Return the sources as `--json` writes them; `published` has the numbers by name."""
    sources = network.sources
    return {
        "cites": list(sources.cites) if sources else [],
        "license": sources.license if sources else None,
        "published": {one.name: one.figure.value for one in sources.published} if sources else {},
    }
