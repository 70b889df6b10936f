"""Two steps in the wrong order: CLS before TOKENS.

In: a step that needs a sequence and got a map, and the file. Out: the help that swaps it with the TOKENS after it.
"""

from __future__ import annotations

import re

from archspec.diagnostics.findings import Edit, Help
from archspec.language import syntax as s
from archspec.layers.sequence import Tokens
from archspec.resolve.helps.steps import steps_of

_ARROW = re.compile(r"\s*(?:->|→|\n)\s*")


def after_tokens(step: s.LayerStep, file: s.File) -> list[Help]:
    """Return the help that puts the TOKENS after a step before it; none if something else comes next."""
    later = [one for one in steps_of(file) if one.span.start >= step.span.end]
    following = min(later, key=lambda one: one.span.start, default=None)
    if not isinstance(following, s.LayerStep) or following.words[0].text != Tokens.keyword:
        return []
    between = step.span.source.text[step.span.end : following.span.start]
    if not _ARROW.fullmatch(between):
        return []
    text = f"{following.span.text}{between}{step.span.text}"
    shown = f"{following.span.text} -> {step.span.text}"
    return [Help(f"`{shown}`: in this order", Edit(step.span.to(following.span), text))]
