"""From syntax to the graph: names, blocks, repeats, `after`, and the volumes that brackets claim.

In: a file, the command line's changes, a loader for `use`. Out: the graph, if there is one, and the findings.
Nothing is measured here.

To read the room in the order in which a spec goes through it:

1. `declarations` reads what a file declares (with `layer_names`): its blocks, parameters, variants, `after` rules.
2. `statements` runs the lines. A step that is a layer goes through `layer_step`: its name (`layer_names`), its
   arguments (`argument_binding`), its volume (`graph_builder`, then `brackets`), what is claimed of it. A call of a
   block goes through `block_calls`, and the block's lines through `statements` again, in a new `scope`.
3. `after_build` does what only the whole graph can tell.
4. `train_section` reads the recipe.

What to write instead of a step that was refused is worked out in `helps`, and tried before it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.graph.ir import Graph, Node
from archspec.language import syntax as s
from archspec.record import Record
from archspec.resolve.after_build import finished, unused_results
from archspec.resolve.brackets import Brackets, Seen
from archspec.resolve.declarations import DeclarationReader, FileNames, Loader, Overrides
from archspec.resolve.graph_builder import MAX_STEPS, GraphBuilder, Lost, Point, TooLarge
from archspec.resolve.layer_names import labels_in, lower_case_names
from archspec.resolve.layer_step import LayerSteps, PendingClaim
from archspec.resolve.scope import Scope
from archspec.resolve.statements import StatementRunner

if TYPE_CHECKING:
    from archspec.recipe import Recipe

__all__ = ["MAX_STEPS", "Overrides", "PendingClaim", "Resolved", "lower_case_names", "resolve"]


class Resolved(Record):
    """The meaning of a spec. `graph` is None if there are errors."""

    graph: Graph | None
    findings: tuple[Diagnostic, ...]
    claims: tuple[PendingClaim, ...]
    brackets_checked: int
    brackets_suspended: int
    variants: tuple[str, ...]
    recipe: Recipe | None = None  # of its `train` section


class _Known(Record):
    """Results of earlier runs: the classifiers' weight layers, the volumes of the spec as written, and steps taken."""

    heads: frozenset[int] = frozenset()
    plain: Seen | None = None
    steps: int = 0


class _Run:
    """One run over the body of a file."""

    def __init__(self, file: s.File, names: FileNames, overrides: Overrides, bound: int, known: _Known) -> None:
        self.builder = GraphBuilder(bound, known.steps)
        self.brackets = Brackets(self.builder, file, overrides.input, known.plain)
        self.layers = LayerSteps(self.builder, self.brackets, overrides, known.heads)
        runner = StatementRunner(self.builder, self.brackets, self.layers)
        scope = Scope(names, None, None, labels_in(file.body))
        try:
            self.end = runner.body(file.body, scope, Point(None), None).current
        except TooLarge as too_large:
            self.end = Lost()
            self.builder.report(_too_large(bound), too_large.span, None)

    @property
    def heads(self) -> frozenset[int]:
        return frozenset(self.layers.last_weight.values())


def resolve(file: s.File, load: Loader, overrides: Overrides, max_steps: int = MAX_STEPS) -> Resolved:
    """Build the graph of a file.

    Raises Finding for an unknown variant. A spec with `after` rules runs twice: only a complete graph shows which
    weight layer is the last, and that one is left as written. The steps of both runs count.
    """
    reader = DeclarationReader(load, overrides)
    names = reader.read(file)
    run = _Run(file, names, overrides, max_steps, _Known())
    if (names.after or overrides.classes) and run.builder.steps <= max_steps:
        before = run.builder.steps if names.after else 0
        run = _Run(file, names, overrides, max_steps, _Known(run.heads, None, before))
    if overrides.any and run.builder.findings:
        plain = _plain_volumes(file, load, max_steps)
        run = _Run(file, names, overrides, max_steps, _Known(run.heads, plain))
    recipe, wrong = _recipe(names)
    findings = [*reader.findings, *run.builder.findings, *wrong]
    graph = None
    if file.is_whole and not any(finding.severity == "error" for finding in findings):
        graph, more = _finish(file, reader.title, run)
        findings += more
    claims = tuple(run.layers.claims)
    seen = run.brackets
    return Resolved(graph, tuple(findings), claims, seen.checked, seen.suspended, tuple(reader.variants), recipe)


def _recipe(names: FileNames) -> tuple[Recipe | None, list[Diagnostic]]:
    if names.train is None:
        return None, []
    from archspec.resolve import train_section  # most specs have none

    return train_section.read(names.train)


def _plain_volumes(file: s.File, load: Loader, max_steps: int) -> Seen:
    """Return the volumes at the brackets of a spec as written."""
    plain = Overrides()
    names = DeclarationReader(load, plain).read(file)
    return _Run(file, names, plain, max_steps, _Known()).brackets.seen


def _finish(file: s.File, title: str, run: _Run) -> tuple[Graph | None, list[Diagnostic]]:
    builder = run.builder
    if not isinstance(run.end, Node):
        message = f"{file.span.source.name} contains no layers"
        return None, [Diagnostic("E010", message, helps=("a spec begins with its input: `[224x224x3] INPUT`",))]
    graph = Graph(title, tuple(builder.nodes), run.end.index, tuple(builder.heads))
    unused = unused_results(graph)
    return (None, unused) if unused else (finished(graph), [])


def _too_large(bound: int) -> Finding:
    notes = ("layers, calls, branches, `let`s, `if`s and repeats count each time they run",)
    helps = ("is a repeat count too large?",)
    return Finding("E112", f"the network takes more than {plural(bound, 'step')}", notes=notes, helps=helps)
