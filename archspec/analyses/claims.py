"""The claims of a listing about memory and parameters, compared with the computed figures.

In: a graph, its costs, and the claims. Out: a `Verdict`. The left side of a claim is evaluated and must be exact; a
figure with K, M, G or B must be within 1 %, one without must be exact.
"""

from __future__ import annotations

from collections.abc import Sequence

from archspec.analyses.cost import Cost
from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, Edit, Help, plural
from archspec.diagnostics.source import Span
from archspec.graph.ir import Graph, Node
from archspec.graph.volume import FLOAT_BYTES
from archspec.language import syntax as s
from archspec.record import Record
from archspec.resolve import PendingClaim

TOLERANCE = 0.01


class Verdict(Record):
    """How many claims of each kind hold, and the findings for the others.

    `without_biases` of the claims about parameters leave out existing biases. `suspended` claims fail because of
    changes on the command line.
    """

    memory: int
    params: int
    totals: int
    without_biases: int
    suspended: int
    findings: tuple[Diagnostic, ...]


class _Sums(Record):
    """The rows of the trunk added up."""

    rows: int
    params: int
    biases: int
    activations: int


def check_claims(
    graph: Graph, costs: Sequence[Cost], claims: Sequence[PendingClaim], totals: Sequence[s.Total], overridden: bool
) -> Verdict:
    """Check every claim. With changes on the command line (`overridden`), a claim that fails is suspended."""
    held = {"memory": 0, "params": 0, "totals": 0, "without_biases": 0}
    findings: list[Finding] = []
    for pending in claims:
        cost, node = costs[pending.node], graph.nodes[pending.node]
        kind = pending.claim.kind
        finding = _check_params(pending, cost, node) if kind == "params" else _check_memory(pending, node)
        if finding is not None:
            findings.append(finding)
            continue
        held[kind] += 1
        held["without_biases"] += kind == "params" and not _holds(pending, cost.params)
    trunk = [cost for node, cost in zip(graph.nodes, costs, strict=True) if not node.head] if totals else []
    sums = _Sums(
        len(trunk),
        sum(cost.params for cost in trunk),
        sum(cost.biases for cost in trunk),
        sum(cost.activations for cost in trunk),
    )
    wrong = [finding for total in totals if (finding := _check_total(total, sums))]
    held["totals"] = len(totals) - len(wrong)
    findings += wrong
    if overridden:
        return Verdict(**held, suspended=len(findings), findings=())
    fallback = Span(graph.nodes[0].span.source, 0, 0)
    return Verdict(**held, suspended=0, findings=tuple(finding.diagnostic(fallback) for finding in findings))


def _check_params(pending: PendingClaim, cost: Cost, node: Node) -> Finding | None:
    claim = pending.claim
    if _holds(pending, cost.params) or _holds(pending, cost.params - cost.biases):
        return None if _figure_holds(pending) else _bad_figure(pending)
    exact = f"{cost.params - cost.biases:,} without biases, {cost.params:,} with"
    actual_text = exact if cost.biases else f"{cost.params:,}"
    message = f"the line says {_shown(pending.value)} parameters, {node.name} has {actual_text}"
    notes = (f"{cost.formula} = {cost.params - cost.biases:,}",) if cost.formula else ()
    exact = f"{cost.params - cost.biases:,}"
    helps = (_claim(claim.span, f"params: {cost.formula} = {exact}" if cost.formula else f"params: {exact}"),)
    return Finding("E302", message, claim.span, "claimed here", notes=notes, helps=helps)


def _check_memory(pending: PendingClaim, node: Node) -> Finding | None:
    claim = pending.claim
    if _holds(pending, node.volume.values):
        return None if _figure_holds(pending) else _bad_figure(pending)
    message = f"the line says {_shown(pending.value)} values, {node.name} has {node.volume.values:,}"
    product = "*".join(map(str, node.volume))
    figure = "" if claim.figure is None else f" = {short(node.volume.values)}"
    helps = (_claim(claim.span, f"memory: {product}{figure}"),)
    return Finding("E303", message, claim.span, "claimed here", notes=(f"its volume is {node.volume}",), helps=helps)


def _holds(pending: PendingClaim, actual: int) -> bool:
    claim = pending.claim
    exact = not isinstance(claim.value, s.Figure) or claim.value.is_exact
    return pending.value == actual if exact else near(pending.value, actual)


def _figure_holds(pending: PendingClaim) -> bool:
    claim = pending.claim
    if pending.figure is None:
        return True
    exact = not isinstance(claim.figure, s.Figure) or claim.figure.is_exact
    return pending.figure == pending.value if exact else near(pending.figure, pending.value)


def _bad_figure(pending: PendingClaim) -> Finding:
    claim = pending.claim
    assert pending.figure is not None and claim.figure is not None
    message = f"the left side is {_shown(pending.value)}, the right side says {claim.figure.span.text}"
    rounded = isinstance(claim.figure, s.Figure) and not claim.figure.is_exact
    notes = ("a figure with K, M, G or B must be within 1 %",) if rounded else ()
    code = "E302" if claim.kind == "params" else "E303"
    helps = (_claim(claim.figure.span, short(pending.value) if rounded else _shown(pending.value)),)
    return Finding(code, message, claim.figure.span, "claimed here", notes=notes, helps=helps)


def _check_total(total: s.Total, sums: _Sums) -> Finding | None:
    source = total.span.source
    span = Span(source, source.text.rfind("TOTAL", 0, total.span.start), total.span.end)
    if total.kind == "params":
        params = sums.params
        bare = params - sums.biases
        if _total_holds(total.figure, params) or _total_holds(total.figure, bare):
            return None
        message = f"TOTAL says {total.figure.span.text} parameters, the rows add up to {params:,}"
        notes: tuple[str, ...] = (f"{bare:,} without biases",)
        helps = (_claim(span, f"TOTAL params: {short(params)}"),)
        return Finding("W301", message, span, "claimed here", notes=notes, helps=helps)
    values = sums.activations
    wrong_size = total.size is not None and not near(total.size.value, FLOAT_BYTES * total.figure.value)
    if _total_holds(total.figure, values) and not wrong_size:
        return None
    size = f"{FLOAT_BYTES * values / 1e6:#.4g}"
    said = "" if total.size is None else f" and {total.size.span.text}"
    message = f"TOTAL says {total.figure.span.text} values{said}, the rows add up to {values:,}: {size} MB"
    notes = (f"{plural(sums.rows, 'row')}, in-place layers counted once; {FLOAT_BYTES} bytes per value",)
    bytes_ = f" * {FLOAT_BYTES} bytes ~= {size}MB" if "e" not in size else ""  # fewer than 100 bytes
    helps = (_claim(span, f"TOTAL memory: {short(values)}{bytes_}"),)
    return Finding("W302", message, span, "claimed here", notes=notes, helps=helps)


def _claim(span: Span, text: str) -> Help:
    """Return the help that writes a claim as it holds."""
    return Help(f"`{text}`", Edit(span, text))


def _total_holds(figure: s.Figure | s.Number, actual: int) -> bool:
    if isinstance(figure, s.Figure) and not figure.is_exact:
        return near(figure.value, actual)
    return figure.value == actual


def near(figure: float, actual: float) -> bool:
    """Return whether a rounded figure is within 1 % of the actual one."""
    return abs(figure - actual) <= TOLERANCE * actual


def _shown(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,}"


def short(value: float) -> str:
    """Return a figure as a slide rounds it: 15.2M."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}" if value < 100 * limit else f"{value / limit:.0f}{suffix}"
    return f"{value:,.0f}"
