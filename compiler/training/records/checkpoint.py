"""What a run resumes from.

In: the state of a trainer, and what the run was made of. Out: records, and the plain dict that a checkpoint file has.
Reading and writing files is `run_folder`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from torch import Tensor

from archspec.compiler.training.records.checkpoint_values import need_parts, need_settings
from archspec.compiler.training.records.epoch_figures import EpochFigures
from archspec.recipe import Recipe
from archspec.recipe import from_dict as recipe_from_dict


@dataclass(frozen=True)
class TrainerState:
    """Everything that the rest of a run depends on. The weights and the optimiser's memory are in the first process."""

    module: dict[str, Tensor]
    average: dict[str, Tensor] | None  # of the weights, if the run has one
    optimizer: Any  # as the engine gives and takes it
    scaler: dict[str, Any]  # of the loss, in fp16
    plateau: dict[str, Any]
    epoch: int  # epochs done
    steps_done: int  # of the next epoch
    updates: int  # steps that were not skipped
    skipped: int
    in_a_row: int  # steps skipped since the last update
    seen: Tensor  # [3+]: loss, right, images, other losses of the epoch so far, over all processes
    damaged: list[str]  # images that cannot be read
    replicas: int


@dataclass(frozen=True)
class RunDescription:
    """What a run is made of. Its weights say the same of it, in the same words."""

    bundle: Mapping[str, Any]  # the spec and its changes, as `archspec.api.restore` takes them
    recipe: Recipe
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]
    why: Mapping[str, str] = field(default_factory=dict)  # of the recipe's settings, by their names

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "bundle": dict(self.bundle),
            "recipe": self.recipe.to_dict(),
            "mean": list(self.mean),
            "std": list(self.std),
            "class_names": list(self.class_names),
            "why": dict(self.why),
        }


@dataclass(frozen=True)
class Checkpoint:
    """A run at one of its steps."""

    trainer: TrainerState
    description: RunDescription
    data: str  # the folder of images; empty for the bundled digits
    fingerprint: str  # of that folder
    best: float  # the highest top-1 of an epoch
    pipeline: int  # stages; 0 for none
    rows: tuple[EpochFigures, ...]

    @property
    def processes(self) -> int:
        """How many processes the run has."""
        return self.pipeline or self.trainer.replicas

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as it is written to a file."""
        rows = [row.to_dict() for row in self.rows]
        own = {name: getattr(self, name) for name in OWN_KEYS}
        return {**vars(self.trainer), **self.description.to_dict(), **own, "rows": rows}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Checkpoint:
        """Return the record of a file's data. Raises ValueError or TypeError if another version wrote it."""
        if missing := REQUIRED - state.keys():
            raise ValueError(f"`{min(missing)}` is missing: another version of archspec wrote it")
        need_parts(state)
        recipe = recipe_from_dict(state["recipe"])
        need_settings(recipe)
        mean, std, names = (tuple(state[name]) for name in ("mean", "std", "class_names"))
        return cls(
            trainer=TrainerState(**{name: state[name] for name in _names(TrainerState)}),
            description=RunDescription(state["bundle"], recipe, mean, std, names, state["why"]),
            rows=tuple(map(EpochFigures.from_dict, state["rows"])),
            **{name: state[name] for name in OWN_KEYS},
        )


def _names(record: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))


OWN_KEYS = tuple(name for name in _names(Checkpoint) if name not in ("trainer", "description", "rows"))
REQUIRED = frozenset((*_names(TrainerState), *_names(RunDescription), *OWN_KEYS, "rows"))
