"""Axes: from values to positions, and round numbers as ticks.

In: values. Out: shares of an axis's length, and ticks with labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archspec.compiler.pages.svg import number

MOST_TICKS = 6


class ValueAxis:
    """A vertical axis: from values to shares of its height, and its ticks."""

    def __init__(self, values: Sequence[float], log: bool) -> None:
        self.log = log
        self.low: float
        self.high: float
        usable = [math.log10(one) if log else one for one in values if math.isfinite(one) and (one > 0 or not log)]
        low, high = min(usable, default=0.0), max(usable, default=1.0)
        if log:
            self.low, self.high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
            powers = range(math.floor(low), round(self.high) + 1, math.ceil((self.high - self.low) / MOST_TICKS))
            self.ticks = [(10.0**power, f"1e{power}") for power in powers]
            return
        low, high = (low, high) if high > low else (low - (abs(low) or 1) / 10, high + (abs(high) or 1) / 10)
        marks = round_ticks(low, high, False)
        step = marks[1] - marks[0]
        self.low = marks[0] if marks[0] <= low else marks[0] - step
        self.high = marks[-1] if marks[-1] >= high - step * 1e-9 else marks[-1] + step
        count = round((self.high - self.low) / step)
        self.ticks = [(value, number(value)) for value in (self.low + step * place for place in range(count + 1))]

    def share(self, value: float) -> float:
        """Return how high a value lies, 0 .. 1; NaN stays NaN."""
        if math.isnan(value):
            return value
        if self.log:
            value = -math.inf if value <= 0 else math.log10(value) if value < math.inf else value
        return (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


def round_ticks(low: float, high: float, whole: bool) -> list[float]:
    """Return some round numbers from `low` to `high`; at least two unless they must be whole.

    >>> round_ticks(1, 10, True), round_ticks(0.013, 0.04, False)
    ([2, 4, 6, 8, 10], [0.015, 0.02, 0.025, 0.03, 0.035, 0.04])
    """
    raw = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    step = max(1.0, round(step)) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    found = [round(step * place, 12) for place in range(first, last + 1)]
    return [int(one) for one in found] if whole else found
