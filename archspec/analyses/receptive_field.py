"""Receptive fields: how many pixels of the input one output sees, along height and width.

In: a graph. Out: `(height, width)` for each node and input, theoretical: not clipped at the edges of the input, and the
largest over all pixels of the result. A field is the hull of the pixels seen, including the gaps that dilation leaves.

Each node keeps the first and last input pixel that its outputs see (Araujo et al. 2019, "Computing receptive fields of
convolutional neural networks"). As long as maps only shrink, one output is enough: the next sees the same, shifted by
the jump. After an UPCONV, an UPSAMPLE or Swin's windows neighbours also differ in size, and a period of them is kept: 2
after a factor of 2, 7 in windows of 7. Where paths join, the hull counts. A global layer sees the field of the whole
map; where such a path joins others, as a squeeze-excite does, the others count, and `Field` says so. So does a map that
`mul` repeats over a larger one.

Three approximations: where paths of different strides end in maps of one size (only odd pads do that) the larger stride
counts; a period of more than MAX_PERIOD outputs (less with more than 4,000 layers) is assumed to see the whole map; and
outputs are at most MAX_JUMP pixels apart (many strides on a map of one pixel go beyond any image).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm
from typing import NamedTuple

from archspec.graph.ir import Graph, Node
from archspec.graph.volume import Volume
from archspec.layers.base import POINTWISE, Window
from archspec.layers.input import Input
from archspec.record import Record

MAX_PERIOD = 256  # a generator from 4x4 to 1024x1024 has that
MAX_JUMP = 2**63
MAX_WORK = 1_000_000  # outputs of all layers: periods are shorter where a network has thousands of layers


class Field(Record):
    """A receptive field: `size` is `(height, width)` in pixels of the input.

    `is_global` if a global layer lies on some path to the node, `is_partial` if the size leaves out such a path because
    there are others.
    """

    size: tuple[int, int]
    is_global: bool
    is_partial: bool


class Reach(Record):
    """The pixels that the outputs along one axis see.

    With a period of P outputs, the output q*P + r sees the pixels from `firsts[r] + q*jump` to `lasts[r] + q*jump`.
    A jump of 0 means that all see the same. `extent` is the number of outputs.
    """

    firsts: tuple[int, ...]
    lasts: tuple[int, ...]
    jump: int
    extent: int

    @property
    def size(self) -> int:
        """The most pixels that an output sees."""
        if len(self.firsts) == 1:
            return self.lasts[0] - self.firsts[0] + 1
        return max(last - first for first, last in zip(self.firsts, self.lasts, strict=True)) + 1

    def first(self, place: int) -> int:
        """Return the first pixel that an output sees; places before 0 and past the extent are allowed."""
        periods, rest = divmod(place, len(self.firsts))
        return self.firsts[rest] + periods * self.jump

    def last(self, place: int) -> int:
        """Return the last pixel that an output sees."""
        periods, rest = divmod(place, len(self.lasts))
        return self.lasts[rest] + periods * self.jump


class _Sight(NamedTuple):
    """What the outputs of a node see along both axes, and whether a global layer lies on some or all of its paths."""

    high: Reach
    wide: Reach
    some: bool
    all: bool

    @property
    def field(self) -> Field:
        """The receptive field."""
        return Field((self.high.size, self.wide.size), self.some, self.some and not self.all)


def receptive_fields(graph: Graph) -> tuple[Field, ...]:
    """Return the receptive field of every node; of several inputs, in the first that it sees."""
    if len(graph.sources) == 1:
        return tuple(field for field in _fields_in(graph, 0) if field)
    return tuple(fields[0][1] for fields in fields_by_input(graph))


def fields_by_input(graph: Graph) -> tuple[tuple[tuple[str, Field], ...], ...]:
    """Return the receptive fields of every node in each input that it sees, by the names of inputs.

    Pixels of different inputs have no common hull.
    """
    names = [source.name for source in graph.sources]
    columns = [_fields_in(graph, source.index) for source in graph.sources]
    return tuple(
        tuple((name, field) for name, field in zip(names, row, strict=True) if field)
        for row in zip(*columns, strict=True)
    )


def _fields_in(graph: Graph, source: int) -> list[Field | None]:
    """Return the receptive field of every node in one input; None for those that do not depend on it."""
    found: list[_Sight | None] = []
    fields: list[Field | None] = []
    most = max(1, min(MAX_PERIOD, MAX_WORK // len(graph.nodes)))
    for node in graph.nodes:
        if node.index == source:
            places = node.volume[0] if isinstance(node.layer, Input) and node.layer.tokens else 1
            extents = node.volume.spatial if node.volume.is_map else (places, 1)
            high, wide = (Reach((0,), (0,), 1, extent) for extent in extents)
            sight: _Sight | None = _Sight(high, wide, False, False)
        else:
            volumes = graph.inputs(node)
            paths = [found[index] for index in node.inputs]
            if len(paths) > 1:
                paths = [path and _repeated(path, volume, node) for path, volume in zip(paths, volumes, strict=True)]
            seen = [path for path in paths if path]
            sight = _sight(node, node.layer.sees(volumes), seen, most) if seen else None
        is_old = bool(node.inputs) and sight is found[node.inputs[0]]
        fields.append(fields[node.inputs[0]] if is_old else sight and sight.field)
        found.append(sight)
    return fields


def _sight(node: Node, window: Window, paths: Sequence[_Sight], most: int) -> _Sight:
    if len(paths) == 1 and window is POINTWISE:
        return paths[0]
    counted = [path for path in paths if not path.all] or paths
    seen = []
    for axis, sides in enumerate(([path.high for path in counted], [path.wide for path in counted])):
        side = _join(sides, most)
        extent = node.volume[axis] if node.volume.is_map else side.extent
        seen.append(_look(side, window, axis, extent, most))
    some = window.is_global or any(path.some for path in paths)
    return _Sight(seen[0], seen[1], some, window.is_global or all(path.all for path in paths))


def _repeated(path: _Sight, volume: Volume, node: Node) -> _Sight:
    """Return a path that is global if `mul` repeats its map over a larger one: all outputs see all of it."""
    if not volume.is_map or volume.spatial == node.volume.spatial:
        return path
    return _Sight(_whole(path.high), _whole(path.wide), True, True)


def _join(paths: list[Reach], most: int) -> Reach:
    """Return the hull of paths that meet. If one path sees everything, so do all."""
    if len(paths) == 1:
        return paths[0]
    period = lcm(*(len(path.firsts) for path in paths))
    if not all(path.jump for path in paths) or period > most:
        paths, period = [_whole(path) for path in paths], 1
    firsts = tuple(min(path.first(place) for path in paths) for place in range(period))
    lasts = tuple(max(path.last(place) for path in paths) for place in range(period))
    jump = max(path.jump * (period // len(path.firsts)) for path in paths)
    return Reach(firsts, lasts, jump, max(path.extent for path in paths))


def _whole(path: Reach) -> Reach:
    """Return the pixels that all outputs see together."""
    if not path.jump:
        return path
    ends = range(min(len(path.firsts), path.extent))
    first = min(path.first(place) for place in ends)
    last = max(path.last(path.extent - 1 - place) for place in ends)
    return Reach((first,), (last,), 0, path.extent)


def _look(path: Reach, window: Window, axis: int, extent: int, most: int) -> Reach:
    """Return the pixels that outputs see through a window, which `Window` describes."""
    if window.is_global or not path.jump:
        return _whole(path)
    kernel, stride, pad = window.kernel[axis], window.stride[axis], window.pad[axis]
    scale, span = window.scale[axis], window.dilation[axis] * (kernel - 1)
    fine = len(path.firsts) * scale  # the period of the input, on the finer grid
    period = lcm(fine, kernel) if window.is_tiled else fine // gcd(fine, stride)
    if period > most:
        return _whole(path)
    firsts, lasts = [], []
    for place in range(period):
        begin = (place + pad) // kernel * kernel - pad if window.is_tiled else place * stride - pad
        firsts.append(path.first(-(-begin // scale)))
        lasts.append(path.last((begin + span) // scale))
    jump = min(path.jump * (period * stride // fine), MAX_JUMP)
    return Reach(tuple(firsts), tuple(lasts), jump, extent)


def last_map(graph: Graph) -> Node | None:
    """Return the last feature map of the trunk, which is pooled globally or flattened, or None."""
    return next((node for node in reversed(graph.trunk) if node.volume.is_map), None)
