"""Further inputs: an INPUT line of the top level starts there, and has a label.

In: an INPUT step that is not the first of the network. Out: its label is taken; or the finding.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help, did_you_mean
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.language.free_labels import free_label
from archspec.language.transform import NOISE_WORDS
from archspec.resolve.graph_builder import LOST, GraphBuilder
from archspec.resolve.helps.respelling import dropped
from archspec.resolve.scope import StepContext

PROSE = "image images picture pictures photo photos pixels data layer raw rgb grey gray colour color the a an".split()  # noqa: SIM905


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
        is_of_tokens(step, context)  # or its label stands after it
        notes = ("of several inputs, each has a label but for the first",)
        helps = lambda: (_labelled(step), drop)  # noqa: E731
        raise Finding("E110", "a second INPUT without a label", step.span, notes=notes, helps=helps)
    context.scope.label(context.label, step.span)


def is_of_tokens(step: s.LayerStep, context: StepContext) -> bool:
    """Return whether an INPUT is of token ids. Raises Finding for what it does not take, such as a name after it."""
    known = {"tokens", *PROSE, *NOISE_WORDS}
    for argument in step.arguments:
        word = argument.value.name if isinstance(argument.value, s.Name) and argument.name is None else ""
        if word not in known:
            raise _not_taken(step, argument, word, context)
    return any(argument.span.text == "tokens" for argument in step.arguments)


def _not_taken(step: s.LayerStep, argument: s.GivenArgument, word: str, context: StepContext) -> Finding:
    if word and not context.label:  # its label was meant
        context.scope.volumes.setdefault(word, LOST)
    span = argument.span

    def helps() -> list[Help]:
        found = [Help(text, Edit(span, "tokens")) for text in did_you_mean(word, ["tokens"])] if word else []
        if word and not context.label and not found:
            found = [Help(f"name it: `{word}: INPUT`", Edit(step.span, f"{word}: INPUT"))]
        return found or [Help("drop it", dropped(span))]

    return Finding("E103", f"INPUT does not take `{span.text}`", span, "unexpected", helps=helps)


def _labelled(step: s.LayerStep) -> Help:
    """Return the help that gives an INPUT a label."""
    name = free_label(step.span.source.text, "second", "input")
    start = step.span.start
    return Help(f"name it: `{name}: INPUT`", Edit(Span(step.span.source, start, start), f"{name}: "))
