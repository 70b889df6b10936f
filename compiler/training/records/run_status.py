"""Whether a run is finished: what its page says first.

In: how far the run is. Out: a `RunStatus`.
"""

from __future__ import annotations

from typing import NamedTuple

from archspec.diagnostics.errors import ArchspecError


class RunStatus(NamedTuple):
    """A sentence; while the run is in progress, its page is loaded again now and then."""

    text: str
    is_in_progress: bool = False


def finished(epochs: int) -> RunStatus:
    """The run has come to its end."""
    return RunStatus(f"finished: {epochs} of {epochs} epochs")


def in_progress(epoch: int, epochs: int) -> RunStatus:
    """The run continues, or was killed after this page was written."""
    return RunStatus(f"in progress: {epoch} of {epochs} epochs", is_in_progress=True)


def stopped(epoch: int, epochs: int, command: str) -> RunStatus:
    """A signal stopped the run; a command continues it."""
    return RunStatus(f"stopped: {epoch} of {epochs} epochs; `{command}` continues")


def failed(epoch: int, epochs: int, error: ArchspecError) -> RunStatus:
    """The run ended with an error."""
    reason = "".join(f", then {one.code}: {one.message}" for one in error.diagnostics[:1])
    return RunStatus(f"failed: {epoch} of {epochs} epochs{reason}")
