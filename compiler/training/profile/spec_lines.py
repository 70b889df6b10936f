"""A profile by the lines of the spec.

In: a graph, and the time of each owner. Out: a `Profile`: lines with their layers, the most expensive first, and what
lies outside the layers. Its parts add up to the time of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from archspec.compiler.training.profile.timeline import BACKWARD, FORWARD, Owner
from archspec.graph.ir import Graph

MILLI = 1000.0  # microseconds


@dataclass(frozen=True)
class SpecLine:
    """A line of a spec: the layers that it stands for, and their times in milliseconds per step."""

    file: str
    line: int
    text: str
    layers: tuple[str, ...]
    forward_ms: float
    backward_ms: float

    @property
    def ms(self) -> float:
        """Forward and backward."""
        return self.forward_ms + self.backward_ms


@dataclass(frozen=True)
class OutsideLayers:
    """A part of a step that no layer stands for."""

    name: str
    ms: float


@dataclass(frozen=True)
class Profile:
    """Where the time of a step went: the GPU's if it has one, else that of the process."""

    network: str
    device: str
    images: int  # per step
    steps: int
    plain_ms: float  # of a step without the profiler
    lines: tuple[SpecLine, ...]
    outside: tuple[OutsideLayers, ...]
    trace: str  # the file

    @property
    def ms(self) -> float:
        """The time of a step under the profiler: all parts together."""
        return sum(one.ms for one in self.lines) + sum(one.ms for one in self.outside)

    def share(self, ms: float) -> float:
        """Return the share of a step."""
        return ms / self.ms if self.ms else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "network": self.network,
            "device": self.device,
            "images": self.images,
            "steps": self.steps,
            "ms": self.ms,
            "ms_without_profiler": self.plain_ms,
            "lines": [{**asdict(one), "ms": one.ms, "share": self.share(one.ms)} for one in self.lines],
            "outside": [{**asdict(one), "share": self.share(one.ms)} for one in self.outside],
            "trace": self.trace,
        }


def by_lines(
    graph: Graph, times: Mapping[Owner, float], steps: int
) -> tuple[tuple[SpecLine, ...], tuple[OutsideLayers, ...]]:
    """Return the lines and the other parts, from the times of `steps` steps in microseconds."""
    found: dict[tuple[str, int], SpecLine] = {}
    for node in graph.nodes:
        forward, backward = (times.get(Owner(part, node.name), 0.0) / MILLI / steps for part in (FORWARD, BACKWARD))
        if forward or backward:
            source, line = node.span.source, node.span.line
            key = source.name, line
            before = found.get(key, SpecLine(*key, source.line(line).strip(), (), 0.0, 0.0))
            layers = (*before.layers, node.name)
            found[key] = SpecLine(*key, before.text, layers, before.forward_ms + forward, before.backward_ms + backward)
    parts: dict[str, float] = {}
    for owner, time in times.items():
        if owner.part not in (FORWARD, BACKWARD):
            parts[owner.part] = parts.get(owner.part, 0.0) + time / MILLI / steps
    outside = (OutsideLayers(name, ms) for name, ms in parts.items())
    return (
        tuple(sorted(found.values(), key=lambda one: -one.ms)),
        tuple(sorted(outside, key=lambda one: -one.ms)),
    )
