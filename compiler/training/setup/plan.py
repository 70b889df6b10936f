"""What a run is going to do: `archspec train --dry-run`, and the first lines of a run.

In: a run's configuration, its trainable parameters, the group of processes. Out: a `TrainingPlan`; its lines are
`plan_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from archspec.analyses.partition import Stage, cut
from archspec.api import Network
from archspec.compiler.threads import threads_for
from archspec.compiler.training.loop.optimizer import parameter_groups
from archspec.compiler.training.loop.schedule import steps_per_epoch
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.setup.memory import predicted_memory
from archspec.compiler.training.weighting.class_weights import class_weights
from archspec.diagnostics.findings import Diagnostic, listed
from archspec.recipe import Recipe
from archspec.record import replace
from archspec.report.stage_table import stages_data


@dataclass(frozen=True)
class ParameterCounts:
    """How many parameters are trained with and without weight decay, and how many are frozen."""

    decayed: int
    not_decayed: int
    frozen: int

    @classmethod
    def of(cls, module: nn.Module) -> ParameterCounts:
        """Count a module's."""
        decayed, others = (sum(one.numel() for one in group) for group in parameter_groups(module.parameters()))
        return cls(decayed, others, sum(one.numel() for one in module.parameters() if not one.requires_grad))


@dataclass(frozen=True)
class TrainingPlan:
    """The resolved recipe, and what follows from it."""

    network: Network
    data: str
    variation: str  # the data's own augmentation; if empty, the recipe's
    classes: int
    recipe: Recipe
    processes: int
    parameters: ParameterCounts
    steps_per_epoch: int
    why: Mapping[str, str]  # of the recipe's settings, by their names
    class_weights: Mapping[str, float] = field(default_factory=dict)  # in the loss; empty for none
    stages: tuple[Stage, ...] = ()  # of a pipeline
    diagnostics: tuple[Diagnostic, ...] = ()  # about the folder of images
    threads_reason: str = ""  # if their number was chosen

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return self.steps_per_epoch * self.recipe.epochs

    @property
    def memory_bytes(self) -> int:
        """The predicted peak of a process in float32."""
        return predicted_memory(self.network, self.recipe)

    @property
    def other_memory_bytes(self) -> int | None:
        """The same without `--checkpoint`; for a batch that was split, with it. None if neither or not less."""
        if not self.recipe.checkpoint and (self.recipe.accumulate == 1 or self.stages):
            return None
        other = predicted_memory(self.network, replace(self.recipe, checkpoint=not self.recipe.checkpoint))
        return other if self.recipe.checkpoint or other < self.memory_bytes else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        stages = {"stages": stages_data(self.network.graph, self.stages)} if self.stages else {}
        return {
            "network": self.network.title,
            "params": self.network.params,
            "data": self.data,
            "variation": self.variation,
            "classes": self.classes,
            "recipe": self.recipe.to_dict(),
            "why": dict(self.why),
            "processes": self.processes,
            "step_images": self.recipe.step_images(self.processes),
            "lr": self.recipe.scaled_lr(self.processes),
            **vars(self.parameters),
            "class_weights": dict(self.class_weights),
            "steps_per_epoch": self.steps_per_epoch,
            "steps": self.steps,
            "memory_bytes": self.memory_bytes,
            "threads_reason": self.threads_reason,
            "other_memory_bytes": self.other_memory_bytes,
            **stages,
            **listed(self.diagnostics),
        }


def plan(configuration: RunConfiguration, parameters: ParameterCounts, group: Group) -> TrainingPlan:
    """Return the plan. Raises ArchspecError for fewer images than a step takes, more stages than can be cut, and for
    weights of unknown classes."""
    network, recipe, data = configuration.network, configuration.recipe, configuration.data
    threads = threads_for(network, recipe.batch, group.neighbours)
    return TrainingPlan(
        network=network,
        data=data.description,
        variation=data.variation,
        classes=len(data.class_names),
        recipe=recipe,
        processes=group.replicas,
        parameters=parameters,
        steps_per_epoch=steps_per_epoch(len(data.train), recipe, group.replicas),
        why=configuration.why,
        class_weights=class_weights(recipe, data),
        stages=tuple(cut(network.graph, group.size)) if group.is_pipeline else (),
        diagnostics=data.findings,
        threads_reason=threads.reason if threads.number == recipe.threads else "",
    )
