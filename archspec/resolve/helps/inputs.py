"""The network's input: whether its brackets are in torch's order, and which other sizes fit.

In: the syntax of a spec. Out: the bracket of its input, sizes to try, and edits of brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isqrt

from archspec.diagnostics.findings import Edit
from archspec.diagnostics.source import Span
from archspec.language import syntax as s
from archspec.layers.input import Input

MAX_COLOURS = 4  # channels of an image
_STEPS = (2, 4, 8, 16, 32)
_USUAL = (224, 227, 299, 331, 256, 32, 28)
_NEAR = 12
_TILES = re.compile(r"a window (?P<stride>[2-9]) wide at stride (?P=stride) does not fit (?P<size>[1-9]\d*)")


def input_bracket(file: s.File) -> s.Bracket | None:
    """Return the bracket of a network's input."""
    chain = next((statement for statement in file.body if isinstance(statement, s.Chain)), None)
    if chain is None:
        return None
    first = chain.steps[0]
    if isinstance(first, s.LayerStep) and first.words[0].text == Input.keyword and first.bracket:
        return first.bracket
    return chain.bracket


def input_line(file: s.File) -> Span | None:
    """Return the line that declares the input, if nothing else is on it."""
    chain = next((statement for statement in file.body if isinstance(statement, s.Chain)), None)
    if chain is None or len(chain.steps) != 1 or not isinstance(chain.steps[0], s.LayerStep):
        return None
    return chain.span if chain.steps[0].words[0].text == Input.keyword else None


def sizes(bracket: s.Bracket) -> tuple[int, ...]:
    """Return the numbers in a bracket; none if it has expressions."""
    found = [size.value for size in bracket.dimensions if isinstance(size, s.Number) and isinstance(size.value, int)]
    return tuple(found) if len(found) == len(bracket.dimensions) else ()


def reordered(file: s.File) -> Iterator[tuple[Edit, ...]]:
    """Yield the edits that put the channels last: of all brackets, or of the input's, if that is channels first."""
    bracket = input_bracket(file)
    if bracket is None or not is_channels_first(sizes(bracket)):
        return
    others = [one for one in brackets(file.body) if one is not bracket and _is_square_at_the_end(sizes(one))]
    if others:
        yield (_turned(bracket), *map(_turned, others))
    yield (_turned(bracket),)


def is_channels_first(volume: tuple[int, ...]) -> bool:
    """Whether a volume looks like an image in torch's order, [3x224x224]."""
    return _is_square_at_the_end(volume) and volume[0] <= MAX_COLOURS < volume[1]


def _is_square_at_the_end(volume: tuple[int, ...]) -> bool:
    return len(volume) == 3 and volume[0] != volume[1] == volume[2]


def _turned(bracket: s.Bracket) -> Edit:
    channels, *rest = sizes(bracket)
    return Edit(bracket.span, written((*rest, channels)))


def written(volume: tuple[int, ...]) -> str:
    """Return a volume in brackets."""
    return f"[{'x'.join(map(str, volume))}]"


def brackets(body: s.Body) -> Iterator[s.Bracket]:
    """Yield the brackets of lines."""
    for statement in body:
        if isinstance(statement, s.Chain):
            steps = [step.bracket if isinstance(step, s.LayerStep) else step for step in statement.steps]
            yield from (one for one in (statement.bracket, *steps) if isinstance(one, s.Bracket))


def other_inputs(volume: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return inputs of about the same size, the nearest first, and the usual ones."""
    height, width, channels = volume
    near = [(height + n, width + n) for d in range(1, _NEAR + 1) for n in (d, -d)]
    near += [(_multiple(height, n, up), _multiple(width, n, up)) for n in _STEPS for up in (1, 0)]
    near.sort(key=lambda size: abs(size[0] - height) + abs(size[1] - width))
    near += [(side, side) for side in _USUAL]
    near = [_of_a_kind(size, volume) for size in near]
    found = [size for size in dict.fromkeys(near) if min(size) > 0 and size != (height, width)]
    return [(*size, channels) for size in found if max(size) < 2 * max(height, width)]


def tiled_inputs(volume: tuple[int, ...], message: str) -> list[tuple[int, ...]]:
    """Return inputs that windows side by side cover, as in a U-Net: multiples of the strides so far, and of more."""
    found = _TILES.search(message)
    if found is None:
        return []
    height, width, channels = volume
    stride, size = int(found["stride"]), int(found["size"])
    so_far = next((round(side / size) for side in (height, width) if side % size == 0), 0)
    steps = [so_far * stride**power for power in (1, 2, 3)] if so_far else []
    near = [(_multiple(height, n, up), _multiple(width, n, up)) for n in steps for up in (1, 0)]
    inputs = [(*_of_a_kind(size, volume), channels) for size in near]
    return [one for one in dict.fromkeys(inputs) if min(one) > 0 and one != volume and max(one) < 2 * max(volume)]


def as_images(volume: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return images that may be meant by [28x28] and [784]."""
    if len(volume) == 2:
        return [(*volume, channels) for channels in (1, 3)]
    sides = [(isqrt(volume[0] // channels), channels) for channels in (1, 3)]
    return [(side, side, channels) for side, channels in sides if side * side * channels == volume[0]]


def _of_a_kind(size: tuple[int, int], volume: tuple[int, ...]) -> tuple[int, int]:
    """Return a size that keeps a height or width of 1, as a sequence as a map has."""
    height, width = (1 if side == 1 else other for side, other in zip(volume, size, strict=False))
    return height, width


def _multiple(size: int, step: int, up: int) -> int:
    """Return the next multiple of `step`, upwards or downwards."""
    return (size + up * (step - 1)) // step * step
