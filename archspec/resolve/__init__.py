"""From syntax to the graph: names, blocks, repeats, `after`, and the volumes that brackets claim.

In: a file, the command line's changes, a loader for `use`. Out: the graph, if there is one, and the findings.
Nothing is measured here.

To read the room in the order in which a spec goes through it:

1. `declarations` reads what a file declares (with `layer_names`): its blocks, parameters, variants, `after` rules.
   What a variant or the command line changes is in `changes`.
2. `run` starts a run, and `statements` goes over the lines. A step that is a layer goes through `layer_step`: its name
   (`layer_names`), its arguments (`argument_binding`), its volume (`graph_builder`, then `brackets`), what is claimed
   of it. A call of a block goes through `block_calls`, and the block's lines through `statements` again, in a new
   `scope`.
3. `after_build` does what only the whole graph can tell.
4. `unreached` checks what no run came to, and finds names that nothing uses.
5. `train_section` reads the recipe.

`names` has the findings about names, with what was probably meant.
What to write instead of a step that was refused is worked out in `helps`, and tried before it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic
from archspec.graph.ir import Graph, LossTerm, Node, Output
from archspec.language import syntax as s
from archspec.record import Record, replace
from archspec.resolve.after_build import FirstValues, finished, first_values, unused_results
from archspec.resolve.declarations import DeclarationReader, FileNames, Loader, Overrides
from archspec.resolve.graph_builder import MAX_STEPS
from archspec.resolve.layer_names import lower_case_names
from archspec.resolve.layer_step import PendingClaim
from archspec.resolve.run import Earlier, Run

if TYPE_CHECKING:
    from archspec.recipe import Recipe
    from archspec.resolve.sources import Sources

__all__ = [
    "MAX_STEPS",
    "Overrides",
    "PendingClaim",
    "Resolved",
    "lower_case_names",
    "resolve",
    "without_consequences",
]


class Resolved(Record):
    """The meaning of a spec. `graph` is None if there are errors."""

    graph: Graph | None
    findings: tuple[Diagnostic, ...]
    claims: tuple[PendingClaim, ...]
    brackets_checked: int
    brackets_suspended: int
    variants: tuple[str, ...]
    recipe: Recipe | None = None  # of its `train` section
    steps: int = 0  # that all runs took together
    sources: Sources | None = None


def resolve(
    file: s.File, load: Loader, overrides: Overrides, max_steps: int = MAX_STEPS, shown: int = MAX_SHOWN
) -> Resolved:
    """Build the graph of a file.

    Raises ArchspecError for changes that the spec does not take. A spec with `after` rules runs twice: only a complete
    graph shows which weight layer is the last, and that one is left as written. The steps of both runs count.
    Only so many findings as are `shown` have notes and helps.
    """
    reader = DeclarationReader(load, overrides)
    names = _read(reader, file, overrides)
    run = Run(file, names, overrides, max_steps, Earlier(shown=shown))
    recipe, wrong = _recipe(names)
    losses = _losses(names, recipe, run)[0]
    earlier = Earlier(run.heads, run.class_sizes(overrides.classes, losses), shown=shown)
    if (names.after or earlier.sizes) and run.builder.steps <= max_steps:
        before = run.builder.steps if names.after else 0
        run = Run(file, names, overrides, max_steps, replace(earlier, steps=before))
    found = run.builder.findings
    if overrides.any and found:
        plain = _other_run(file, load, max_steps, Overrides())
        run = Run(file, names, overrides, max_steps, replace(earlier, plain=plain.brackets.seen))
        found = run.blamed(lambda other: _other_run(file, load, max_steps, other).builder.findings, overrides)
    losses, unknown = _losses(names, recipe, run)  # of this run's nodes
    if overrides.any and not found:
        run.need_changes(overrides, losses)
    steps = run.builder.steps * (3 if overrides.any and found else 1)
    values = first_values((names, *reader.loaded.values()), reader.findings)
    findings = [*reader.findings, *found, *_beyond(names, run, max_steps), *wrong, *unknown]
    if any(finding.code == "E118" for finding in findings):
        findings = without_consequences(findings)
    graph = None
    if file.is_whole and not any(finding.severity == "error" for finding in findings):
        graph, more = _finish(file, reader.title, run, values, losses)
        findings += more or [*_unused(names), *_unused_inits(names, graph)]
    claims = tuple(run.layers.claims)
    seen = run.brackets
    variants, named = tuple(reader.variants), _sources(reader)
    return Resolved(graph, tuple(findings), claims, seen.checked, seen.suspended, variants, recipe, steps, named)


def _read(reader: DeclarationReader, file: s.File, overrides: Overrides) -> FileNames:
    """Return the names that a file declares; what is wrong with the changes names the flag. Raises ArchspecError."""
    if not overrides.any:
        return reader.read(file)
    from archspec.resolve.changes.blame import read

    return read(reader, file, overrides)


def without_consequences(findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return findings without those that follow from a reserved name."""
    from archspec.resolve.names import declared  # seldom needed

    return declared.without_consequences(findings)


def _beyond(names: FileNames, run: Run, max_steps: int) -> list[Diagnostic]:
    """Return the findings in what is written and was not reached."""
    own = [block.definition for block in names.blocks.values() if block.file is names]
    met = run.runner.met | {id(definition.body) for definition in own} | {id(rule) for rule in names.after.values()}
    reached = run.runner.reached | run.layers.rules
    if met <= reached and not any(_has_expression(definition) for definition in own):
        return []
    from archspec.resolve.unreached.run import findings_beyond  # seldom needed

    before = {(finding.code, finding.span) for finding in run.builder.findings}
    found = findings_beyond(names, reached, max_steps)
    return [finding for finding in found if (finding.code, finding.span) not in before]


def _has_expression(definition: s.BlockDefinition) -> bool:
    """Whether a default is more than a number, so that the calls may never work it out."""
    return any(not isinstance(one.default, s.Number | s.Reference | None) for one in definition.parameters)


def _unused(names: FileNames) -> list[Diagnostic]:
    """Return warnings about names that nothing refers to."""
    file = names.syntax
    if file is None or not (names.blocks or names.values or any(isinstance(one, s.Let) for one in file.body)):
        return []
    from archspec.resolve.unreached.words import may_have_unused

    if not may_have_unused(file):
        return []
    from archspec.resolve.unreached.unused import unused_names  # seldom needed

    return unused_names(file)


def _unused_inits(names: FileNames, graph: Graph | None) -> list[Diagnostic]:
    """Return warnings about `init` lines for layers that the file does not have."""
    file = names.syntax
    if file is None or graph is None or not names.init:
        return []
    own = {type(node.layer) for node in graph.nodes if node.span.source is file.span.source}
    if names.init.keys() <= own:
        return []
    from archspec.resolve.unreached.unused import unused_inits  # seldom needed

    return unused_inits(file, names.init)


def _recipe(names: FileNames) -> tuple[Recipe | None, list[Diagnostic]]:
    if names.train is None:
        return None, []
    from archspec.resolve import train_section  # most specs have none

    return train_section.read(names.train)


def _losses(names: FileNames, recipe: Recipe | None, run: Run) -> tuple[tuple[LossTerm, ...], list[Diagnostic]]:
    """Return the losses that a recipe names, and what is wrong with their names."""
    if recipe is None or names.train is None or not recipe.losses:
        return (), []
    from archspec.resolve.ends.losses import losses  # most recipes leave them out

    found, wrong = losses(recipe, names.train, run.scope.volumes)
    return found, wrong if names.syntax is not None and names.syntax.is_whole else []


def _sources(reader: DeclarationReader) -> Sources | None:
    if not reader.sources:
        return None
    from archspec.resolve.sources import sources  # most specs name none

    variant = reader.overrides.variant
    is_changed = reader.overrides != Overrides(variant=variant)
    return sources(reader.sources, reader.variants, variant, is_changed)


def _other_run(file: s.File, load: Loader, max_steps: int, changes: Overrides) -> Run:
    """Return a run of the spec as written, or with other changes."""
    names = DeclarationReader(load, changes).read(file)
    return Run(file, names, changes, max_steps, Earlier())


def _finish(
    file: s.File, title: str, run: Run, values: FirstValues, losses: tuple[LossTerm, ...]
) -> tuple[Graph | None, list[Diagnostic]]:
    builder = run.builder
    if not isinstance(run.end, Node):
        message = f"{file.span.source.name} contains no layers"
        return None, [Diagnostic("E010", message, notes=("a spec begins with its input: `[224x224x3] INPUT`",))]
    outputs = tuple(builder.outputs) or (Output(run.end.name, run.end.index),)
    graph = Graph(title, tuple(builder.nodes), outputs, tuple(builder.heads), losses)
    unused = unused_results(graph)
    if unused:
        return None, unused
    graph = finished(graph, values)
    if not builder.twins and not builder.ties:
        return graph, []
    from archspec.resolve.references.shared_weights import with_shared_weights  # most specs share none

    graph, wrong = with_shared_weights(graph, builder)
    return (None, wrong) if wrong else (graph, [])
