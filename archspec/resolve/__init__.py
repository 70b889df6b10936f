"""From syntax to the graph: names, blocks, repeats, `after`, and the volumes that brackets claim.

In: a file, the command line's changes, a loader for `use`. Out: the graph, if there is one, and the findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.graph.ir import Frame, Graph, Node
from archspec.language import syntax as s
from archspec.record import Record
from archspec.resolve.body import Runner
from archspec.resolve.brackets import Brackets, Seen, shows_received
from archspec.resolve.builder import MAX_STEPS, GraphBuilder, TooLarge, trace
from archspec.resolve.flow import Flow, Overrides
from archspec.resolve.module import Loader, ModuleReader
from archspec.resolve.passes import finished
from archspec.resolve.scope import Lost, Module, Scope, labels_in
from archspec.resolve.steps import LayerSteps, PendingClaim

if TYPE_CHECKING:
    from archspec.recipe import Recipe

__all__ = ["Overrides", "Resolved", "resolve"]


class Resolved(Record):
    """What a spec stands for. `graph` is nothing where there are errors."""

    graph: Graph | None
    findings: tuple[Diagnostic, ...]
    claims: tuple[PendingClaim, ...]
    brackets_checked: int
    brackets_suspended: int
    variants: tuple[str, ...]
    recipe: Recipe | None = None  # what its `train` section says


class _Known(Record):
    """What earlier runs have found: the weight layers of the classifiers, and the volumes of the spec as written."""

    heads: frozenset[int] = frozenset()
    plain: Seen | None = None


class _Run:
    """One run over the body of a file."""

    def __init__(self, file: s.File, module: Module, overrides: Overrides, bound: int, known: _Known) -> None:
        self.builder = GraphBuilder(bound)
        self.brackets = Brackets(self.builder, shows_received(file.body), known.plain)
        self.layers = LayerSteps(self.builder, self.brackets, overrides, known.heads)
        runner = Runner(self.builder, self.brackets, self.layers, overrides)
        scope = Scope(module, None, None, labels_in(file.body))
        try:
            self.end = runner.body(file.body, scope, Flow(None), None).current
        except TooLarge as too_large:
            self.end = Lost()
            self.builder.report(_too_large(bound), too_large.span, None)

    @property
    def heads(self) -> frozenset[int]:
        return frozenset(self.layers.last_weight.values())


def resolve(file: s.File, load: Loader, overrides: Overrides, max_steps: int = MAX_STEPS) -> Resolved:
    """Work out the graph of a file.

    Raises Finding for a variant that is not there. A spec that has `after` rules runs twice: only when all is built
    is it known which weight layer is the last, and that one stays as written.
    """
    reader = ModuleReader(load, overrides)
    module = reader.read(file)
    run = _Run(file, module, overrides, max_steps, _Known())
    if module.after or overrides.classes:
        run = _Run(file, module, overrides, max_steps, _Known(run.heads))
    if overrides.any and run.builder.findings:
        plain = _plain_volumes(file, load, max_steps)
        run = _Run(file, module, overrides, max_steps, _Known(run.heads, plain))
    recipe, wrong = _recipe(module)
    findings = [*reader.findings, *run.builder.findings, *wrong]
    graph = None
    if file.is_whole and not any(finding.severity == "error" for finding in findings):
        graph, more = _finish(file, reader.title, run)
        findings += more
    claims = tuple(run.layers.claims)
    seen = run.brackets
    return Resolved(graph, tuple(findings), claims, seen.checked, seen.suspended, tuple(reader.variants), recipe)


def _recipe(module: Module) -> tuple[Recipe | None, list[Diagnostic]]:
    if module.train is None:
        return None, []
    from archspec.resolve import train_section

    return train_section.read(module.train)


def _plain_volumes(file: s.File, load: Loader, max_steps: int) -> Seen:
    """The volumes at the brackets of a spec as it is written."""
    plain = Overrides()
    module = ModuleReader(load, plain).read(file)
    return _Run(file, module, plain, max_steps, _Known()).brackets.seen


def _finish(file: s.File, title: str, run: _Run) -> tuple[Graph | None, list[Diagnostic]]:
    builder = run.builder
    if not isinstance(run.end, Node):
        message = f"{file.span.source.name} declares no network: it has no line of layers"
        return None, [Diagnostic("E010", message, helps=("a spec begins with its input: [224x224x3] INPUT",))]
    graph = Graph(title, tuple(builder.nodes), run.end.index, tuple(builder.heads))
    unused = _unused(graph)
    return (None, unused) if unused else (finished(graph), [])


def _unused(graph: Graph) -> list[Diagnostic]:
    """Results that lead nowhere."""
    ends = {graph.output, *(head.output for head in graph.heads)}
    found: dict[int, Finding] = {}
    frames: dict[int, Frame | None] = {}
    for node, consumers in zip(graph.nodes, graph.consumers, strict=True):
        if not consumers and node.index not in ends:
            name = node.name.rsplit(".", 1)[-1]
            helps = ("end a branch in it, or use it by its label: `name: ...` and `@name`; or drop the line",)
            finding = Finding("E113", f"nobody uses the result of {name}", node.span, "leads nowhere", helps=helps)
            found.setdefault(node.span.start, finding)
            frames.setdefault(node.span.start, node.frame)
    return [finding.diagnostic(finding.span, trace(frames[start])) for start, finding in found.items() if finding.span]


def _too_large(bound: int) -> Finding:
    helps = ("is a repeat count too large?",)
    return Finding("E112", f"more than {plural(bound, 'layer')}", helps=helps)
