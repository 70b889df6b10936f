"""A run that is ready to begin.

In: its configuration and context. Out: a `Session`. No file is written yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from archspec.compiler.training.loop.trainer import Trainer
from archspec.compiler.training.parallel.engine import engine
from archspec.compiler.training.records.checkpoint import RunDescription
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.setup.fine_tuning import starting_module
from archspec.compiler.training.setup.options import RunContext
from archspec.compiler.training.setup.plan import TrainingPlan, plan
from archspec.compiler.training.weighting.class_weights import as_tensor
from archspec.compiler.training.weighting.layer_rates import rate_shares, set_shares
from archspec.compiler.weights.metadata import TrainedOn, WeightsMetadata


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
        recipe, why = self.configuration.recipe, self.configuration.why
        return RunDescription(bundle, recipe, data.mean, data.std, data.class_names, why)

    def weights_metadata(self, score: float) -> WeightsMetadata:
        """Return what a weights file says of itself; `score` is that of its weights."""
        network, data = self.configuration.network, self.configuration.data
        images = TrainedOn(data.source, data.fingerprint, len(data.train) + len(data.held_out), data.held_out_in)
        recipe = self.configuration.recipe.to_dict()
        return WeightsMetadata(network, recipe, data.class_names, data.mean, data.std, score, images)


def session(configuration: RunConfiguration, context: RunContext) -> Session:
    """Build the network and its trainer. Raises ArchspecError if they cannot be trained."""
    module, parameters, messages = starting_module(configuration, context.group)
    planned = plan(configuration, parameters, context.group)
    graph, recipe, group = configuration.network.graph, configuration.recipe, context.group
    set_shares(module, rate_shares(graph, recipe, group.replicas))
    made = engine(graph, module, recipe, group, as_tensor(planned.class_weights, group.device))
    trainer = Trainer(made, configuration.data, context.options.loader_workers)
    return Session(configuration, context, trainer, planned, messages)
