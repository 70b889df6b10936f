"""The time of profiled steps, divided among the layers and what lies outside them.

In: the profiler's events. Out: segments without gaps, each with its owner: the forward or backward pass of a layer, the
images, the loss, the optimiser. Every moment belongs to one owner, so the parts add up to the whole.

A layer's forward pass is a range of its name. Operators of the backward pass carry the sequence number of the operator
that they differentiate: of several with one number it is the one that began last.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

LAYER = "layer "  # then its name
WINDOW = "profiled steps"
EVALUATED = "autograd::engine::evaluate_function: "  # then the name of the operator
ACCUMULATED = "AccumulateGrad"  # directly after the operator whose gradient it is
FORWARD, BACKWARD, IMAGES, LOSS, OPTIMISER = "forward", "backward", "images", "loss", "optimiser"
OTHERS = {"enumerate(DataLoader)": IMAGES, "Optimizer.": OPTIMISER}  # ranges of torch's own


class Event(NamedTuple):
    """What the profiler recorded, in microseconds; `device` is the time of its kernels on the GPU."""

    name: str
    start: float
    end: float
    sequence: int = -1
    device: float = 0.0


class Owner(NamedTuple):
    """To whom a time belongs: a part of the step, and for forward and backward passes the layer."""

    part: str
    layer: str = ""


class Interval(NamedTuple):
    """The time from `start` to `end`, which belongs to an owner; those of other owners may lie inside it."""

    start: float
    end: float
    owner: Owner


def segments(events: Sequence[Event]) -> list[Interval]:
    """Divide the time of the event `WINDOW`. Events must be nested or apart, as those of one thread are."""
    events = sorted(events, key=lambda event: (event.start, -event.end))
    (window,) = (event for event in events if event.name == WINDOW)
    return [cut for cut in _cut(_markers(events), window) if cut.end > cut.start]


def durations(found: Sequence[Interval]) -> dict[Owner, float]:
    """Return the time of each owner, in microseconds."""
    totals: dict[Owner, float] = {}
    for one in found:
        totals[one.owner] = totals.get(one.owner, 0.0) + one.end - one.start
    return totals


def device_times(found: Sequence[Interval], events: Iterable[Event]) -> dict[Owner, float]:
    """Return the GPU's time for what each owner launched, in microseconds."""
    starts = [one.start for one in found]
    totals: dict[Owner, float] = {}
    for event in events:
        place = bisect_right(starts, event.start) - 1
        if event.device and place >= 0 and event.start < found[-1].end:
            owner = found[place].owner
            totals[owner] = totals.get(owner, 0.0) + event.device
    return totals


# ---- whose events are whose
def _markers(events: Sequence[Event]) -> list[Interval]:
    """Return the events that have an owner, in order."""
    layers = [event for event in events if event.name.startswith(LAYER)]
    passes = [event for event in events if event.name.startswith(EVALUATED)]
    differentiated = _layers_by_sequence(events, layers, passes)
    numbers = _numbers(events, passes)
    found = [Interval(one.start, one.end, Owner(FORWARD, one.name.removeprefix(LAYER))) for one in layers]
    owner = Owner(LOSS)
    for one, number in zip(passes, numbers, strict=True):
        if ACCUMULATED not in one.name:
            layer = differentiated.get(number, "")
            layer = layer or _first_inside(one, layers)
            owner = Owner(BACKWARD, layer) if layer else Owner(LOSS)
        found.append(Interval(one.start, one.end, owner))
    for event in events:
        part = next((part for start, part in OTHERS.items() if event.name.startswith(start)), None)
        if part is not None:
            found.append(Interval(event.start, event.end, Owner(part)))
    return sorted(found, key=lambda marker: (marker.start, -marker.end))


def _first_inside(event: Event, layers: Sequence[Event]) -> str:
    """Return the first layer that is computed again in a backward pass, or an empty string."""
    place = bisect_right(layers, event.start, key=lambda layer: layer.start)
    is_inside = place < len(layers) and layers[place].start < event.end
    return layers[place].name.removeprefix(LAYER) if is_inside else ""


def _layers_by_sequence(events: Sequence[Event], layers: Sequence[Event], passes: Sequence[Event]) -> dict[int, str]:
    """Return by sequence number the layer of the operator with that number that began last, outside backward passes."""
    found: dict[int, str] = {}
    own, backward = _Inside(layers), _Inside(passes)
    for event in events:
        if event.sequence >= 0 and (backward.around(event) is None or own.around(event) is not None):
            layer = own.around(event)
            found[event.sequence] = layer.name.removeprefix(LAYER) if layer else ""
    return found


def _numbers(events: Sequence[Event], passes: Sequence[Event]) -> list[int]:
    """Return the sequence number of each backward pass of an operator: that of the event of its name inside it."""
    backward = _Inside(passes)
    found: dict[Event, int] = {}
    for event in events:
        around = backward.around(event)
        if around is not None and event.name == around.name.removeprefix(EVALUATED):
            found.setdefault(around, event.sequence)
    return [found.get(one, -1) for one in passes]


class _Inside:
    """Finds the innermost of some events that contains another."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events, self.starts = events, [event.start for event in events]
        self.outer: list[int] = []  # of each, the place of the event around it, or -1
        for place, event in enumerate(events):
            self.outer.append(self._place(event.start, place - 1))

    def around(self, event: Event) -> Event | None:
        place = self._place(event.start, bisect_right(self.starts, event.start) - 1)
        return self.events[place] if place >= 0 else None

    def _place(self, start: float, place: int) -> int:
        while place >= 0 and start >= self.events[place].end:
            place = self.outer[place]
        return place


# ---- the time between them
def _cut(markers: Iterable[Interval], window: Event) -> Iterator[Interval]:
    """Yield each time with its owner, without overlaps and gaps."""
    at, before = window.start, Owner(IMAGES)
    open_: list[Interval] = []
    for marker in markers:
        if not window.start <= marker.start < window.end:
            continue
        while open_ and open_[-1].end <= marker.start:
            yield Interval(at, open_[-1].end, open_[-1].owner)
            at, before = open_[-1].end, open_.pop().owner
        if open_ and marker.owner.part == FORWARD:  # computed again, during the backward pass
            marker = marker._replace(owner=Owner(BACKWARD, marker.owner.layer))  # noqa: PLW2901
        yield Interval(at, marker.start, open_[-1].owner if open_ else _between(before, marker.owner))
        at = marker.start
        open_.append(marker)
    while open_:
        yield Interval(at, min(window.end, open_[-1].end), open_[-1].owner)
        at = open_.pop().end
    yield Interval(at, window.end, Owner(OPTIMISER))


def _between(before: Owner, after: Owner) -> Owner:
    """Return the owner of the time between two markers: mostly Python, and operators without a name of their own."""
    if after.part == FORWARD:
        return after if before.part == FORWARD else Owner(IMAGES)
    if after.part in (BACKWARD, LOSS):
        return Owner(LOSS) if before.part == FORWARD else after
    if after.part == IMAGES and before.part == IMAGES:
        return after
    return Owner(OPTIMISER)
