"""The optimiser states of a pipeline's stages, by weight name.

In: a pipeline, and the optimiser of this process's stage. Out: momenta and the like for the whole network, in the first
process; and back, into any number of stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from archspec.compiler.training.loop.optimizer import restore_state
from archspec.compiler.training.parallel.pipeline import Pipeline


def gathered_memory(pipeline: Pipeline, optimizer: Optimizer) -> dict[str, Any]:
    """Return the state of each weight in the first process, on the CPU; an empty dict in the others."""
    return pipeline.gathered(
        {
            name: {key: value.cpu() if isinstance(value, Tensor) else value for key, value in remembered.items()}
            for name, parameter in pipeline.module.named_parameters()
            if (remembered := optimizer.state.get(parameter))
        }
    )


def restore_memory(pipeline: Pipeline, optimizer: Optimizer, whole: Mapping[str, Any]) -> None:
    """Restore the state of this stage's weights."""
    names = {id(parameter): name for name, parameter in pipeline.module.named_parameters()}
    own = [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]
    restore_state(optimizer, {place: whole[name] for place, name in enumerate(own) if name in whole})
