"""The steps that a file writes, wherever they are.

In: a file. Out: its steps, those in blocks, branches and every arm of an `if` included.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.resolve.names.parts import steps_in


def steps_of(file: s.File) -> Iterator[s.Step]:
    """Yield all steps of a file."""
    for steps in bodies_of(file):
        yield from steps


def bodies_of(file: s.File) -> Iterator[Iterator[s.Step]]:
    """Yield the steps of a file outside blocks, and those of each block."""
    for body in (file.body, *(one.body for one in file.declarations if isinstance(one, s.BlockDefinition))):
        yield steps_in(body)


def layer_at(file: s.File, span: Span) -> s.LayerStep | None:
    """Return the layer step that is written at a place."""
    return next((step for step in steps_of(file) if isinstance(step, s.LayerStep) and step.span == span), None)
