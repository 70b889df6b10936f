"""The steps that a file writes, wherever they are.

In: a file. Out: its steps, those in blocks, branches and every arm of an `if` included.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.source import Span
from archspec.language import syntax as s


def steps_of(file: s.File) -> Iterator[s.Step]:
    """Yield all steps of a file."""
    for body in (file.body, *(one.body for one in file.declarations if isinstance(one, s.BlockDefinition))):
        yield from steps_in(body)


def layer_at(file: s.File, span: Span) -> s.LayerStep | None:
    """Return the layer step that is written at a place."""
    return next((step for step in steps_of(file) if isinstance(step, s.LayerStep) and step.span == span), None)


def steps_in(body: s.Body) -> Iterator[s.Step]:
    """Yield the steps of a body; a repeat comes before the step that it repeats."""
    for statement in body:
        if isinstance(statement, s.If):
            for arm in statement.arms:
                yield from steps_in(arm.body)
        elif isinstance(statement, s.Chain | s.Aux):
            chain = statement if isinstance(statement, s.Chain) else statement.chain
            for step in chain.steps:
                if not isinstance(step, s.Bracket):
                    yield from _with_inner(step)


def _with_inner(step: s.Step) -> Iterator[s.Step]:
    yield step
    if isinstance(step, s.RepeatStep):
        yield from _with_inner(step.step)
    elif isinstance(step, s.MergeStep):
        for branch in step.branches:
            yield from steps_in(branch)
