"""A layer from the text of its step, without a network around it.

In: `CONV 8 3x3 same`. Out: the layer.
"""

from __future__ import annotations

from typing import Any

from archspec.diagnostics.errors import ArchspecError, Finding
from archspec.diagnostics.source import Source
from archspec.language import syntax as s
from archspec.language.parse import parse
from archspec.layers import Layer
from archspec.resolve.argument_binding import ArgumentBinder
from archspec.resolve.layer_names import lower_case_names, name_layer


def layer_from_text(text: str) -> Layer:
    """Return the layer that a step describes, without a network around it: `CONV 8 3x3 same`.

    Raises ArchspecError if the text is not a layer step.
    """
    file, findings = parse(Source("<layer>", text), lower_case_names())
    if findings:
        raise ArchspecError(findings)
    (chain,) = file.body
    assert isinstance(chain, s.Chain)
    (step,) = chain.steps
    assert isinstance(step, s.LayerStep)
    named = name_layer(step)
    return ArgumentBinder(named.layer, step, _no_names, named.fields).bind()


def _no_names(name: s.Name) -> Any:
    raise Finding("E101", f"undefined name `{name.name}`", name.span, "unknown")
