"""Who a trainer asks and tells between steps.

In: how far the run is. Out: whether to stop or to save. The trainer itself writes no files and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from archspec.compiler.training.records.checkpoint import TrainerState


class Requests(NamedTuple):
    """What is asked of a trainer before its next step."""

    stop: bool = False
    save: bool = False


class TrainingObserver(Protocol):
    """All processes of a run have one, and its methods are called in the same order in each of them."""

    def requests(self, steps_done: int) -> Requests:
        """Return what to do before the next step; `steps_done` counts those of this epoch."""
        ...

    def save(self, state: TrainerState) -> None:
        """Write the state as a checkpoint."""
        ...

    def show_progress(self, line: Callable[[], str]) -> None:
        """Show how far the epoch is. Making the line waits for the device."""
        ...

    def tell(self, message: str) -> None:
        """Report something that happened on the way."""
        ...


class SilentObserver:
    """Requests nothing and reports nothing."""

    def requests(self, steps_done: int) -> Requests:  # noqa: ARG002
        """See TrainingObserver."""
        return Requests()

    def save(self, state: TrainerState) -> None:
        """See TrainingObserver."""

    def show_progress(self, line: Callable[[], str]) -> None:
        """See TrainingObserver."""

    def tell(self, message: str) -> None:
        """See TrainingObserver."""
