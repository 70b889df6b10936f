"""The memory of a training step: `training_peak`. MODEL.md, beside this file, states the model."""

from archspec.analyses.memory.heap import Peak
from archspec.analyses.memory.liveness import training_peak

__all__ = ["Peak", "training_peak"]
