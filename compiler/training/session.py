"""A run that is ready to begin.

In: its configuration and context. Out: a `Session`. No file is written yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.records.checkpoint import RunDescription
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.setup.fine_tuning import starting_module
from archspec.compiler.training.setup.options import RunContext
from archspec.compiler.training.setup.plan import ParameterCounts, TrainingPlan, plan


@dataclass(frozen=True)
class Session:
    """A run's parts. `messages` say where its weights come from."""

    configuration: RunConfiguration
    context: RunContext
    trainer: Trainer
    plan: TrainingPlan
    messages: tuple[str, ...] = ()

    @property
    def description(self) -> RunDescription:
        """What its checkpoints and weights say of the run."""
        network, data = self.configuration.network, self.configuration.data
        bundle = network.bundle.to_dict()
        return RunDescription(bundle, self.configuration.recipe, data.mean, data.std, data.class_names)

    def weights_metadata(self, top1: float) -> dict[str, Any]:
        """Return what a weights file says of itself; `top1` is that of its weights."""
        network, data = self.configuration.network, self.configuration.data
        count = len(data.train) + len(data.held_out)
        images = {"source": data.source, "images": count, "fingerprint": data.fingerprint}
        return {**self.description.to_dict(), "input": list(network.input), "top1": top1, "data": images}


def session(configuration: RunConfiguration, context: RunContext) -> Session:
    """Build the network and its trainer. Raises ArchspecError if they cannot be trained."""
    module, messages = starting_module(configuration)
    planned = plan(configuration, ParameterCounts.of(module), context.group)
    made = engine(configuration.network.graph, module, configuration.recipe, context.group)
    trainer = Trainer(made, configuration.data, context.options.loader_workers)
    return Session(configuration, context, trainer, planned, messages)
