"""The memory of a training step, by the model of MODEL.md.

In: a graph and a batch. Out: its `Peak`. What a layer keeps and needs is in its class, and nothing is run here.
"""

from archspec.analyses.memory.heap import Peak
from archspec.analyses.memory.liveness import training_peak

__all__ = ["Peak", "training_peak"]
