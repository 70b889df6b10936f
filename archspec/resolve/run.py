"""One run over the lines of a file: it builds the graph and collects the findings.

In: a file, its names, the changes, and what earlier runs found out. Out: nodes, findings, and what was reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archspec.diagnostics.findings import MAX_SHOWN, Diagnostic
from archspec.graph.ir import LossTerm, Node
from archspec.language import syntax as s
from archspec.record import Record
from archspec.resolve.brackets import Brackets, Seen
from archspec.resolve.declarations import FileNames, Overrides
from archspec.resolve.graph_builder import GraphBuilder, Lost, Point, TooLarge, too_large
from archspec.resolve.layer_names import labels_in
from archspec.resolve.layer_step import LayerSteps
from archspec.resolve.scope import Scope
from archspec.resolve.statements import StatementRunner


class Earlier(Record):
    """Results of earlier runs: classifiers' weight layers, the volumes of the spec as written, and steps taken.

    `shown` findings have labels, notes and helps.
    """

    heads: frozenset[int] = frozenset()
    sizes: dict[str, int] | None = None
    plain: Seen | None = None
    steps: int = 0
    shown: int = MAX_SHOWN


class Run:
    """One run over the body of a file."""

    def __init__(self, file: s.File, names: FileNames, overrides: Overrides, bound: int, earlier: Earlier) -> None:
        self.builder = GraphBuilder(bound, earlier.steps, earlier.shown)
        self.brackets = Brackets(self.builder, file, overrides, earlier.plain)
        self.layers = LayerSteps(self.builder, self.brackets, earlier.heads, earlier.sizes or {})
        self.runner = runner = StatementRunner(self.builder, self.brackets, self.layers)
        self.scope = Scope(names, None, None, labels_in(file.body))
        try:
            self.end = runner.body(file.body, self.scope, Point(None), None).current
        except TooLarge as error:
            self.end = Lost()
            self.builder.report(too_large(bound), error.span, None)

    @property
    def heads(self) -> frozenset[int]:
        """The last weight layer of each classifier, by its ordinal."""
        if self.builder.outputs:
            from archspec.resolve.ends.outputs import last_weights  # most specs have one output, their last line

            heads = {number: ordinal for number, ordinal in self.layers.last_weight.items() if number}
            return frozenset((*heads.values(), *last_weights(self.builder)))
        return frozenset(self.layers.last_weight.values())

    def scores(self, losses: Sequence[LossTerm]) -> list[int]:
        """Return the nodes of all class scores; none if the network has errors, other than false claims.

        Raises ArchspecError for several outputs, if no loss is of one.
        """
        codes = {finding.code for finding in self.builder.findings if finding.severity == "error"}
        if not isinstance(self.end, Node) or codes - {"E301"}:
            return []
        outputs = self.builder.outputs
        if len(outputs) > 1 and not losses:
            from archspec.resolve.changes.class_count import no_scores

            raise no_scores(outputs)
        ends = [one.node for one in losses or outputs] or [self.end.index]
        return [*ends, *(head.output for head in self.builder.heads)]

    def class_sizes(self, classes: int | None, losses: Sequence[LossTerm]) -> dict[str, int]:
        """Return the outputs that a number of classes sets, by the names of layers. Raises ArchspecError."""
        if not classes:
            return {}
        from archspec.resolve.changes.class_count import class_sizes

        sizes = class_sizes(self.builder.nodes, self.scores(losses), classes)
        if self.builder.twins:
            from archspec.resolve.references.shared_weights import in_all_calls

            return in_all_calls(sizes, self.builder)
        return sizes

    def blamed(self, run: Callable[[Overrides], list[Diagnostic]], overrides: Overrides) -> list[Diagnostic]:
        """Return the findings; new ones say which changes they come from. Raises ArchspecError."""
        from archspec.resolve.changes.blame import blamed

        return blamed(self.builder.findings, run, overrides, self.brackets.own_inputs)

    def need_changes(self, overrides: Overrides, losses: Sequence[LossTerm]) -> None:
        """Raise ArchspecError if a change has been misread, or has not had its effect."""
        from archspec.resolve.changes.blame import need_inputs
        from archspec.resolve.changes.class_count import need_classes

        need_inputs(overrides, self.brackets.own_inputs)
        if overrides.classes:
            need_classes(self.builder.nodes, self.scores(losses), overrides.classes)
