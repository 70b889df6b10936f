"""Values that a wrong or missing number may be meant to have.

In: a step, its file, and what surrounds it. Out: texts to put in its place, the likeliest first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.diagnostics.source import Span
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.resolve.helps.steps import bodies_of, steps_of
from archspec.resolve.helps.surroundings import Surroundings
from archspec.resolve.layer_names import name_layer
from archspec.resolve.names.parts import steps_in

_TWICE = 2  # where it is declared, and used
_MOST = 4  # counts of other layers
_STRIDES = ("2", "1")


def unused_parameters(step: s.LayerStep, file: s.File) -> list[str]:
    """Return the parameters of the block around a step that its body does not mention, or else those of the file."""
    for one in file.declarations:
        inside = list(steps_in(one.body)) if isinstance(one, s.BlockDefinition) else []
        if isinstance(one, s.BlockDefinition) and any(other is step for other in inside):
            text = one.span.source.text[one.span.start : max(other.span.end for other in inside)]
            words = Counter(re.findall(r"[A-Za-z_]\w*", re.sub(r"#.*|\w+(?==)", "", text)))
            if unused := [parameter.name for parameter in one.parameters if words[parameter.name] < _TWICE]:
                return unused
    words = Counter(re.findall(r"[A-Za-z_]\w*", re.sub(r"#.*|\w+(?==)", "", file.span.source.text)))
    return [one.name for one in file.declarations if isinstance(one, s.Param) and words[one.name] < _TWICE]


def counts(step: s.LayerStep, layer: type[Layer], around: Surroundings) -> list[str]:
    """Return the numbers of channels that a layer may be meant to produce."""
    found = unused_parameters(step, around.file)
    if around.claimed:
        return [*found, str(around.claimed.channels)]
    nearby = _counts_nearby(step, layer, around.file)
    found += [text for text in nearby if not text.isdigit()]
    found.append("10" if layer.outputs == "features" else "64")
    if around.entering:
        found += [str(around.entering.channels), *nearby]
    return list(dict.fromkeys(found))


def _counts_nearby(step: s.LayerStep, layer: type[Layer], file: s.File) -> list[str]:
    """Return what other layers of this kind produce, the nearest first; from other blocks only numbers."""
    beside = next((steps for steps in map(list, bodies_of(file)) if any(one is step for one in steps)), [])
    found: list[tuple[int, str]] = []
    for other in steps_of(file):
        if isinstance(other, s.LayerStep) and other is not step and other.arguments and _is(other, layer):
            value = other.arguments[0].value
            is_known = any(one is other for one in beside) and isinstance(value, s.Name | s.Binary)
            if isinstance(value, s.Number) or is_known:
                found.append((abs(other.span.start - step.span.start), value.span.text))
    return list(dict.fromkeys(text for _, text in sorted(found)))[:_MOST]


def _is(step: s.LayerStep, layer: type[Layer]) -> bool:
    try:
        return name_layer(step).layer is layer
    except Finding:
        return False


def other_calls(bracket: s.Bracket, claim: Volume, actual: Volume, file: s.File) -> Iterator[Help]:
    """Yield the calls on the line of a bracket with one number changed in the ratio of the channels, or two swapped.

    Then come the claimed channels and other strides in place of each number.
    """
    chain = next((one for one in file.body if isinstance(one, s.Chain) and one.bracket is bracket), None)
    for step in steps_in((chain,) if chain else ()):
        if isinstance(step, s.CallStep):
            given = [one.value for one in step.arguments if isinstance(one.value, s.Number)]
            for value in given if claim.channels != actual.channels else ():
                scaled, rest = divmod(int(value.value) * claim.channels, actual.channels)
                if scaled and not rest:
                    yield _changed(step, {value.span: str(scaled)}, claim)
            for first, second in pairwise(given):
                yield _changed(step, {first.span: second.span.text, second.span: first.span.text}, claim)
            for value in given:
                for text in dict.fromkeys((str(claim.channels), *_STRIDES)):
                    if text != value.span.text:
                        yield _changed(step, {value.span: text}, claim)


def _changed(step: s.CallStep, changes: dict[Span, str], claim: Volume) -> Help:
    text, at = "", step.span.start
    source = step.span.source.text
    for place, new in changes.items():
        text += source[at : place.start] + new
        at = place.end
    text += source[at : step.span.end]
    return Help(f"`{text}`: the line then produces {claim}", Edit(step.span, text))
