"""Further inputs: an INPUT line of the top level starts there, and has a label.

In: an INPUT step that is not the first of the network. Out: its label is taken; or the finding.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.free_labels import free_label
from archspec.resolve.graph_builder import GraphBuilder
from archspec.resolve.helps.respelling import dropped
from archspec.resolve.scope import StepContext


def begin(step: s.LayerStep, context: StepContext, builder: GraphBuilder) -> None:
    """Take the label of an INPUT.

    Raises Finding for one inside a block, a branch, an `aux` or a line, and for one without a label.
    """
    chain = context.chain
    where = (
        "inside a block"
        if context.scope.frame
        else "inside a branch"
        if context.entry is not None
        else "inside an `aux`"
        if builder.head
        else "in the middle of a line"
        if step is not chain.steps[0]
        else ""
    )
    drop = Help("drop it", dropped(chain.span if len(chain.steps) == 1 else step.span))
    if where:
        notes = ("inputs are lines of the top level: `right: INPUT`",)
        raise Finding("E110", f"INPUT {where}", step.span, notes=notes, helps=(drop,))
    if not context.label:
        notes = ("of several inputs, each has a label but for the first",)
        helps = lambda: (_labelled(step), drop)  # noqa: E731
        raise Finding("E110", "a second INPUT without a label", step.span, notes=notes, helps=helps)
    context.scope.label(context.label, step.span)


def _labelled(step: s.LayerStep) -> Help:
    """Return the help that gives an INPUT a label."""
    name = free_label(step.span.source.text, "second", "input")
    start = step.span.start
    return Help(f"name it: `{name}: INPUT`", Edit(Span(step.span.source, start, start), f"{name}: "))
