"""Helps applied as they are written: whether the finding is gone, and whether another has come."""

from benchmarks.helps.trials import Trial, bare, findings_in, trials

__all__ = ["Trial", "bare", "findings_in", "trials"]
