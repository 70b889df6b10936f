"""How fast the steps of an epoch are, and how long the rest of the run takes.

In: the number of steps done, the time spent waiting for images. Out: seconds and images a second.
"""

from __future__ import annotations

import time


class StepTimer:
    """Times an epoch from its step `first` on; a step takes `images` images on all processes."""

    def __init__(self, first: int, images: int) -> None:
        self.first, self.images = first, images
        self.start = time.monotonic()
        self.waited = 0.0  # seconds, for images

    @property
    def seconds(self) -> float:
        """Time since the first step began."""
        return time.monotonic() - self.start

    def images_per_second(self, steps_done: int, seconds: float) -> float:
        """Speed over all processes."""
        return (steps_done - self.first) * self.images / seconds

    def seconds_left(self, steps_done: int, steps_left: int) -> float:
        """Time that `steps_left` more steps take at this speed."""
        return self.seconds / (steps_done - self.first) * steps_left
