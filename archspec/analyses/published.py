"""What is published of a network, compared with its totals.

In: figures that a spec quotes, and the totals. Out: a `PublishedVerdict`. A figure with K, M or G must be within 1 %,
one without must be exact. Accuracies are not looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.analyses.claims import near, short
from archspec.analyses.cost import Cost
from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help
from archspec.graph.ir import Graph
from archspec.language import syntax as s
from archspec.record import Record
from archspec.resolve.sources import Sources


class PublishedVerdict(Record):
    """How many figures are those of the network, and the findings for the others.

    `suspended` figures differ because of changes on the command line.
    """

    held: int
    suspended: int
    findings: tuple[Diagnostic, ...]


def check_published(sources: Sources, graph: Graph, costs: Sequence[Cost]) -> PublishedVerdict:
    """Compare the published counts with the network's.

    Parameters may be counted with or without biases and auxiliary classifiers, multiply-accumulates with or without
    attention's own products.
    """
    trunk = [cost for node, cost in zip(graph.nodes, costs, strict=True) if not node.head]
    params, macs = sum(cost.params for cost in trunk), sum(cost.macs for cost in trunk)
    known = {
        "params": (params, params - sum(cost.biases for cost in trunk), sum(cost.params for cost in costs)),
        "macs": (macs, macs + sum(cost.attention_macs for cost in trunk)),
    }
    counts = [one for one in sources.published if one.name in known]
    wrong = [one for one in counts if not any(_is(one, own) for own in known[one.name])]
    if sources.is_suspended:
        return PublishedVerdict(len(counts) - len(wrong), len(wrong), ())
    found = tuple(_finding(one, known[one.name][0]).diagnostic(one.span) for one in wrong)
    return PublishedVerdict(len(counts) - len(wrong), 0, found)


def _is(one: s.PublishedFigure, actual: int) -> bool:
    is_rounded = isinstance(one.figure, s.Figure) and not one.figure.is_exact
    return near(one.figure.value, actual) if is_rounded else one.figure.value == actual


def _finding(one: s.PublishedFigure, actual: int) -> Finding:
    """Return the finding for a count that is not the network's."""
    noun, code = ("parameters", "W301") if one.name == "params" else ("multiply-accumulates", "W303")
    message = f"{one.figure.span.text} {noun} are published, the rows add up to {actual:,}"
    helps = (Help(f"`{one.name}={short(actual)}`", Edit(one.figure.span, short(actual))),)
    return Finding(code, message, one.span, "published", helps=helps)
