"""Receptive fields: how many pixels of the input one output sees, along height and width.

In: a graph. Out: for each node `(height, width)`, theoretical: not clipped at the edges of the input. Each node keeps
the interval of input pixels that its output at 0 sees, and the distance of neighbouring outputs in input pixels (the
jump; Araujo et al. 2019, "Computing receptive fields of convolutional neural networks"). Where paths join, the hull of
their intervals counts, so the largest over all paths. A global layer sees the field of the whole map; its jump is 0.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple

from archspec.ir import Graph, Node
from archspec.layers.base import Window


class Reach(NamedTuple):
    """Along one axis: the first and last input pixel of output 0, the jump, and how many outputs there are."""

    first: float
    last: float
    jump: float
    extent: int

    @property
    def size(self) -> int:
        """How many pixels are seen."""
        return floor(self.last - self.first) + 1


def receptive_fields(graph: Graph) -> tuple[tuple[int, int], ...]:
    """The receptive field of every node, `(height, width)`."""
    reaches: list[tuple[Reach, Reach]] = []
    for node in graph.nodes:
        if not node.inputs:
            size = node.volume.spatial if node.volume.is_map else (1, 1)
            reaches.append((Reach(0, 0, 1, size[0]), Reach(0, 0, 1, size[1])))
            continue
        inputs = [reaches[index] for index in node.inputs]
        window = node.layer.window(graph.inputs(node))
        axes = [_step(_join([reach[axis] for reach in inputs]), window, axis) for axis in (0, 1)]
        if node.volume.is_map:
            axes = [axes[axis]._replace(extent=node.volume[axis]) for axis in (0, 1)]
        reaches.append((axes[0], axes[1]))
    return tuple((high.size, wide.size) for high, wide in reaches)


def _join(paths: list[Reach]) -> Reach:
    """Where paths meet: the hull. A global path makes the whole global."""
    if len(paths) == 1:
        return paths[0]
    if any(path.jump == 0 for path in paths):
        paths = [_whole(path) for path in paths]
    first, last = min(path.first for path in paths), max(path.last for path in paths)
    return Reach(first, last, max(path.jump for path in paths), max(path.extent for path in paths))


def _whole(path: Reach) -> Reach:
    return Reach(path.first, path.last + (path.extent - 1) * path.jump, 0, path.extent)


def _step(path: Reach, window: Window, axis: int) -> Reach:
    if window.is_global:
        return _whole(path)
    kernel, stride, pad = window.kernel[axis], window.stride[axis], window.pad[axis]
    dilation, scale, jump = window.dilation[axis], window.scale[axis], path.jump
    if scale > 1:  # a transposed window: output o sees the inputs i with 0 <= o + pad - i*scale < kernel
        first = path.first + jump * (pad - kernel + 1) / scale
        return Reach(first, path.last + jump * pad / scale, jump / scale, path.extent)
    first = path.first - pad * jump
    return Reach(first, path.last + (dilation * (kernel - 1) - pad) * jump, jump * stride, path.extent)


def last_map(graph: Graph) -> Node | None:
    """The last map of the trunk: what is pooled globally or flattened, if anything is."""
    maps = [node for node in graph.trunk if node.volume.is_map]
    return maps[-1] if maps else None
