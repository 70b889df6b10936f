"""How a step's gradients come about: each process has the whole network and its own images, or a stage of the network.

In: a module, a recipe, the group of processes. Out: gradients in the parameters of `module`, scores, states of the
whole network. The loop does not know which of the two it drives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, distributed, nn
from torch.amp import GradScaler
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from archspec.compiler.data.mixup import Target
from archspec.compiler.lowering.lower import Lowered
from archspec.compiler.training.parallel.pipeline import Pipeline
from archspec.compiler.training.parallel.pipeline_optimizer import gathered_memory, restore_memory
from archspec.compiler.training.parallel.processes import Group
from archspec.graph.ir import Graph
from archspec.recipe import Recipe

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
Precision = Callable[[], AbstractContextManager[Any]]
Part = tuple[Tensor, Target]  # images as the network takes them, and what they show


class Engine(Protocol):
    """What the loop asks for. All processes call the same methods in the same order."""

    module: nn.Module  # what this process trains
    recipe: Recipe
    group: Group

    def set_mode(self, is_training: bool) -> None:
        """Dropout, batch statistics and auxiliary classifiers on or off."""

    def backward(self, parts: Iterable[Part], count: int, scaler: GradScaler) -> tuple[Tensor, Tensor]:
        """Add the gradients of the mean loss over `count` parts.

        Returns the loss, and the output's losses and right guesses summed over this replica's images, with their count.
        """

    def scores(self, images: Tensor) -> Tensor:
        """The output for images, [B, classes] in float32."""

    def agree_on_statistics(self, averages: list[dict[str, Tensor]]) -> None:
        """Give all replicas the batch statistics of the first, which are the ones that are written."""

    def whole(self, own: dict[str, Any]) -> dict[str, Any]:
        """What is kept by weights' names, of all parts of the network: in the first process."""

    def memory(self, optimizer: Optimizer) -> Any:
        """What the optimiser remembers of all parts of the network: in the first process."""

    def remember(self, optimizer: Optimizer, memory: Any) -> None:
        """Take that again."""


def engine(graph: Graph, module: Lowered, recipe: Recipe, group: Group) -> Engine:
    """The one for a group, the module on its device."""
    layout = torch.channels_last if recipe.channels_last else torch.preserve_format
    module.to(group.device, memory_format=layout)  # type: ignore[call-overload]  # torch's stubs
    return Stages(graph, module, recipe, group) if group.is_pipeline else Replica(module, recipe, group)


def precision_of(recipe: Recipe, group: Group) -> Precision:
    """What a forward pass is run in."""
    return nullcontext if recipe.amp == "off" else partial(torch.autocast, group.device.type, TYPES[recipe.amp])


class Replica:
    """The whole network in each process, gradients averaged over them (DDP)."""

    def __init__(self, module: Lowered, recipe: Recipe, group: Group) -> None:
        self.recipe, self.group, self.precision = recipe, group, precision_of(recipe, group)
        self.module: nn.Module = module
        self.loss_weights = module.loss_weights
        if recipe.compile:
            module.compile()
        self.outer: nn.Module = DistributedDataParallel(module) if group.size > 1 else module

    def set_mode(self, is_training: bool) -> None:
        """See Engine."""
        self.outer.train(is_training)

    def backward(self, parts: Iterable[Part], count: int, scaler: GradScaler) -> tuple[Tensor, Tensor]:
        """See Engine."""
        found = []
        for number, part in enumerate(parts, 1):
            together = number == count or self.outer is self.module
            with nullcontext() if together else self.outer.no_sync():  # type: ignore[operator]  # DDP's
                found.append(self._backward(*part, count, scaler))
        losses, seen = zip(*found, strict=True)
        return _sum(losses), _sum(seen)

    def _backward(self, images: Tensor, target: Target, count: int, scaler: GradScaler) -> tuple[Tensor, Tensor]:
        with self.precision():
            outputs = self.outer(images)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        losses = [target.loss(output.float(), self.recipe.label_smoothing) for output in outputs]
        loss = _sum([weight / count * one for weight, one in zip(self.loss_weights, losses, strict=False)])
        torch.autograd.backward(scaler.scale(loss))
        return loss.detach(), target.seen(outputs[0].detach(), losses[0].detach())

    def scores(self, images: Tensor) -> Tensor:
        """See Engine."""
        with self.precision():
            found: Tensor = self.module(images)
        return found.float()

    def whole(self, own: dict[str, Any]) -> dict[str, Any]:
        """See Engine."""
        return own

    def agree_on_statistics(self, averages: list[dict[str, Tensor]]) -> None:
        """See Engine."""
        if self.group.size > 1:
            names = [name for name, _ in self.module.named_buffers()]
            kept = [average[name] for average in averages for name in names if name in average]
            for value in (*self.module.buffers(), *kept):
                distributed.broadcast(value, 0)

    def memory(self, optimizer: Optimizer) -> Any:
        """See Engine."""
        return optimizer.state_dict()

    def remember(self, optimizer: Optimizer, memory: Any) -> None:
        """See Engine."""
        optimizer.load_state_dict(memory)


def _sum(values: Sequence[Tensor]) -> Tensor:
    """Of one value it is that value, which in a small step counts."""
    return sum(values[1:], values[0])


class Stages:
    """A stage of the network in each process (pipeline parallelism)."""

    def __init__(self, graph: Graph, module: Lowered, recipe: Recipe, group: Group) -> None:
        self.recipe, self.group = recipe, group
        self.pipeline = Pipeline(graph, module, recipe, group, precision_of(recipe, group))
        self.module: nn.Module = self.pipeline.module

    def set_mode(self, is_training: bool) -> None:
        """See Engine."""
        self.module.train(is_training)

    def backward(self, parts: Iterable[Part], count: int, scaler: GradScaler) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """See Engine."""
        images, targets = zip(*parts, strict=True)
        seen = self.pipeline.train_step(torch.cat(images), torch.cat([target.packed() for target in targets]))
        return seen[0] / seen[2], seen

    def scores(self, images: Tensor) -> Tensor:
        """See Engine."""
        return self.pipeline.evaluate(images)

    def whole(self, own: dict[str, Any]) -> dict[str, Any]:
        """See Engine."""
        return self.pipeline.gathered({name: value.cpu() for name, value in own.items()})

    def agree_on_statistics(self, averages: list[dict[str, Tensor]]) -> None:
        """See Engine: each statistic belongs to one process."""

    def memory(self, optimizer: Optimizer) -> Any:
        """See Engine."""
        return gathered_memory(self.pipeline, optimizer)

    def remember(self, optimizer: Optimizer, memory: Any) -> None:
        """See Engine."""
        restore_memory(self.pipeline, optimizer, memory)
