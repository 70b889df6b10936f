"""Findings about INPUT: missing, without a volume, or in the wrong place.

In: the step, or the first step of a network without one. Out: the finding, with the usual volumes as edits.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.resolve.helps.inputs import is_channels_first, written

_USUAL = ((224, 224, 3), (227, 227, 3), (32, 32, 3), (28, 28, 1), (64, 64, 3))


def missing(span: Span) -> Finding:
    """Return the finding for a step before the network's input."""

    def helps() -> list[Help]:
        start = span.source.text.rfind("\n", 0, span.start) + 1
        lines = [f"{written(volume)} INPUT" for volume in _USUAL]
        return [Help(f"`{line}` before it", Edit(Span(span.source, start, start), f"{line}\n")) for line in lines]

    return Finding("E110", "no INPUT before this line", span, "has no input", helps=helps)


def without_volume(step: s.LayerStep) -> Finding:
    """Return the finding for an INPUT without a bracket; its size may be among its arguments."""

    def helps() -> list[Help]:
        given = _volume_of(step)
        end = step.arguments[-1].span if step.arguments else step.words[-1].span
        lines = [f"{written(volume)} INPUT" for volume in ([given] if given else _USUAL)]
        return [Help(f"`{line}`", Edit(step.words[0].span.to(end), line)) for line in lines]

    return Finding("E106", "INPUT needs a volume", step.span, notes=("in brackets, before it",), helps=helps)


def _volume_of(step: s.LayerStep) -> tuple[int, ...]:
    """Return the numbers among the arguments of INPUT as a volume, its channels last."""
    numbers: list[int] = []
    for argument in step.arguments:
        values = argument.value.sizes if isinstance(argument.value, s.Extent) else (argument.value,)
        numbers += [one.value for one in values if isinstance(one, s.Number) and isinstance(one.value, int)]
    volume = tuple(numbers)
    if is_channels_first(volume):
        return (*volume[1:], volume[0])
    return (*volume, 1) if len(volume) == 2 else volume if len(volume) in (1, 3) else ()
