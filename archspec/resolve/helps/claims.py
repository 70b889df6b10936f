"""What makes a bracket true: another layer before it, or another bracket.

In: a bracket, the node that it is wrong at, and the file. Out: helps with edits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.language import syntax as s
from archspec.layers import Layer
from archspec.layers.arguments import Respelling
from archspec.record import Record, replace
from archspec.resolve.helps.candidates import other_calls
from archspec.resolve.helps.inputs import MAX_COLOURS, input_bracket, input_line, sizes, written
from archspec.resolve.helps.respelling import Speller, dropped
from archspec.resolve.helps.steps import layer_at
from archspec.resolve.layer_names import name_layer
from archspec.resolve.scope import Scope

_MOST_CALLS = 8
_ENOUGH = 2  # brackets after INPUT that may show what their lines receive
Produced = Callable[[Layer], Volume | None]  # what a line produces with another layer


class BracketPlace(Record):
    """What surrounds a bracket: the file, its scope, the nodes so far."""

    file: s.File
    scope: Scope
    nodes: list[Node]


def remedies(bracket: s.Bracket, claim: Volume, node: Node, context: BracketPlace) -> list[str]:
    """Return small changes to a layer of the line that make the claim true, and the bracket that is true."""
    found: list[str] = []
    line = _Line(node, context.nodes, bracket.span.line)
    for before in reversed(line.nodes):
        step = None if before.implied else layer_at(context.file, before.span)
        if step is not None:
            speller = Speller(step, name_layer(step), context.scope, context.file)
            produced = partial(line.volume_with, before)
            found += speller.helps(dict.fromkeys(_respellings(before.layer, produced, claim)))
            found += _in_its_terms(bracket, before, speller)
    found += islice(other_calls(bracket, claim, node.volume, context.file), _MOST_CALLS)
    if not re.search("[A-Za-z_@]{2}|[A-WYZa-wyz_@]", bracket.span.text):
        actual = Help(f"`{node.volume}` is its actual volume", Edit(bracket.span, str(node.volume)))
        is_misread = len(claim) != len(node.volume) or sorted(claim) == sorted(node.volume)
        found.insert(0 if is_misread else len(found), actual)
    first = input_line(context.file)
    if first is not None and context.scope.frame is None and _shows_what_enters(context.file):
        found.append(Help(f"drop `{first.text}`: the first bracket is the input", dropped(first)))
    return found


def _shows_what_enters(file: s.File) -> bool:
    """Whether brackets seem to show what their lines receive: there are several, and the first repeats the input."""
    first = input_bracket(file)
    brackets = [one.bracket for one in file.body if isinstance(one, s.Chain)]
    volumes = [sizes(one) for one in brackets if one is not None and one is not first]
    return first is not None and len(volumes) >= _ENOUGH and volumes[0] == sizes(first) != ()


def _in_its_terms(bracket: s.Bracket, node: Node, speller: Speller) -> list[Help]:
    """Return the step with the channels that the bracket computes, and the bracket with those of the step."""
    field = node.layer.outputs
    channels = bracket.dimensions[-1].span
    if field not in speller.places or isinstance(bracket.dimensions[-1], s.Number) or speller.is_literal(field):
        return []
    step = speller.with_name(field, channels.text)
    written_there = speller.source(field, {})
    text = bracket.span.text
    at = channels.start - bracket.span.start
    text = f"{text[:at]}{written_there}{text[at + len(channels.text) :]}"
    return [step, Help(f"`{text}` is its actual volume", Edit(bracket.span, text))]


def to_claim(layer: Layer, entering: Volume, claim: Volume) -> Iterator[Respelling]:
    """Yield other arguments of a refused layer with which it produces the claimed volume."""

    def produced(changed: Layer) -> Volume | None:
        with suppress(Finding):
            return changed.output((entering,))
        return None

    yield from (one for one in _respellings(layer, produced, claim) if "kernel" not in one.fields)


class _Line:
    """The nodes of one line up to a node, and the volume that enters it."""

    def __init__(self, node: Node, nodes: Sequence[Node], number: int) -> None:
        self.nodes: list[Node] = []
        while len(node.inputs) == 1 and (node.implied or node.span.line == number):
            self.nodes.insert(0, node)
            node = nodes[node.inputs[0]]
        self.base = node.volume

    def volume_with(self, changed: Node, layer: Layer) -> Volume | None:
        """The volume at the end with another layer; None if one does not fit."""
        volume = self.base
        with suppress(Finding):
            for node in self.nodes:
                volume = (layer if node is changed else node.layer).output((volume,))
            return volume
        return None


def _respellings(layer: Layer, produced: Produced, claim: Volume) -> Iterator[Respelling]:
    """Yield other arguments of a layer with which its line produces the claimed volume."""
    for field in ("pad", "stride", "kernel", "factor", "block"):
        if field in layer.arguments:
            least = max(getattr(layer, "stride", (1, 1))) if field == "kernel" else field != "pad"
            most = max(getattr(layer, "kernel", (14,))) // 2 + 1 if field == "pad" else 8
            values = (layer.arguments[field].kind.convert(value) for value in range(least, most))
            yield from _working(layer, produced, claim, [{field: value} for value in values])
    if {"pad", "stride"} <= set(layer.arguments):
        ones = [((pad, pad), (pad, pad)) for pad in range(4)]
        yield from _working(layer, produced, claim, [{"stride": (2, 2), "pad": pads} for pads in ones])
    if layer.outputs:
        yield from _working(layer, produced, claim, [{layer.outputs: claim.channels}])


def _working(layer: Layer, produced: Produced, claim: Volume, tried: list[dict[str, Any]]) -> list[Respelling]:
    """Return the first change with which the line produces the claimed volume."""
    for fields in tried:
        volume = produced(replace(layer, **fields))
        if volume is not None and claim.agrees(volume):
            return [Respelling(f"`{{}}`: the line then produces {claim}", "{}", **fields)]
    return []


def other_side(bracket: s.Bracket) -> list[Help]:
    """Return the help that makes a map square, if only one of its sides is not a size."""
    found = sizes(bracket)
    sides = [size for size in found[:2] if size]
    if len(found) != 3 or len(sides) != 1 or not found[2]:
        return []
    text = written((*sides, *sides, found[2]))
    return [Help(f"`{text}`", Edit(bracket.span, text))]


def too_many(bracket: s.Bracket, dimensions: list[int]) -> Finding:
    """Return the finding for a volume of more than three dimensions: a batch, a video or a body."""
    reason = "the batch is not written" if dimensions[0] == 1 else "video and volumes are not handled"
    message = f"{bracket.span.text} has {len(dimensions)} dimensions: {reason}"
    notes = ("[HxWxC] is a map, [NxC] a sequence, [C] a vector",)

    def helps() -> list[str]:
        *_, high, wide, deep = dimensions
        image = (wide, deep, high) if high <= MAX_COLOURS < wide == deep else (high, wide, deep)
        text = written(image)
        return [Help(f"`{text}` is one image", Edit(bracket.span, text))]

    return Finding("E304", message, bracket.span, notes=notes, helps=helps)
