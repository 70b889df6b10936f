"""Where a network and its figures come from, as text and data.

In: the sources that a spec names. Out: lines of text, or dictionaries for `--json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics.findings import printable
from archspec.resolve.sources import Sources

_NOUNS = {"top1": "top-1 {} %", "top5": "top-5 {} %", "params": "{} parameters", "macs": "{} MACs"}


def remarks(sources: Sources) -> Iterator[str]:
    """Yield what the spec cites, its licence, and the published figures."""
    if sources.cites:
        yield f"cites {printable('; '.join(sources.cites))}"
    if sources.license:
        yield f"licence {printable(sources.license)}"
    if sources.published:
        yield "published: " + ", ".join(_NOUNS[one.name].format(one.figure.span.text) for one in sources.published)


def as_data(sources: Sources | None) -> dict[str, Any]:
    """Return the sources as `--json` writes them; `published` has the numbers by name."""
    return {
        "cites": list(sources.cites) if sources else [],
        "license": sources.license if sources else None,
        "published": {one.name: one.figure.value for one in sources.published} if sources else {},
    }
