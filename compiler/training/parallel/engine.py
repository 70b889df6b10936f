"""How the gradients of a step are computed: each process has the whole network and its own images, or a stage of it.

In: a module, a recipe, the group of processes. Out: gradients in the parameters of `module`, scores, states of the
whole network. The loop does not know which of the two it uses.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, distributed, nn
from torch.amp import GradScaler
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.data.augmentation.step_images import Labels
from archspec.compiler.lowering.checkpointed import checkpoint_segments
from archspec.compiler.lowering.lower import Lowered
from archspec.compiler.lowering.modules.norms import synchronised
from archspec.compiler.lowering.stage_module import StageModule
from archspec.compiler.training.loop.optimizer import restore_state
from archspec.compiler.training.parallel.pipeline import Pipeline
from archspec.compiler.training.parallel.pipeline_optimizer import gathered_memory, restore_memory
from archspec.compiler.training.parallel.processes import Group
from archspec.graph.ir import Graph, LossTerm
from archspec.recipe import Recipe

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
Precision = Callable[[], AbstractContextManager[Any]]


class MicroBatch(NamedTuple):
    """A part of a step: images as the network takes them, [B, C, H, W], and what they show."""

    images: Tensor
    target: Labels


class StepResult(NamedTuple):
    """What a step measured, on the device.

    `loss` is the mean that was minimised; `seen` has the sums of the first loss and of its result's right first guesses
    over this replica's images, or their pixels, the number of those, and the sums of the other losses.
    """

    loss: Tensor
    seen: Tensor


class Engine(Protocol):
    """What the loop needs. All processes call the same methods in the same order."""

    module: nn.Module  # what this process trains
    recipe: Recipe
    group: Group
    losses: tuple[LossTerm, ...]  # that a step's loss is the weighted sum of

    def set_mode(self, is_training: bool) -> None:
        """Turn dropout, batch statistics and auxiliary classifiers on or off."""
        ...

    def backward(self, parts: Iterable[MicroBatch], count: int, scaler: GradScaler) -> StepResult:
        """Add the gradients of the mean loss over `count` parts."""
        ...

    def scores(self, images: Tensor) -> Tensor:
        """Return the first output for images, [B, classes] or [B, classes, H, W], in float32."""
        ...

    def agree_on_statistics(self, averages: list[dict[str, Tensor]]) -> None:
        """Give all replicas the batch statistics of the first, which are saved; `averages` likewise."""
        ...

    def whole(self, own: dict[str, Any]) -> dict[str, Any]:
        """Gather values by weight name from all parts of the network, in the first process."""
        ...

    def memory(self, optimizer: Optimizer) -> Any:
        """Gather the optimiser's state for all parts of the network, in the first process."""
        ...

    def remember(self, optimizer: Optimizer, memory: Any) -> None:
        """Restore the optimiser from that state."""
        ...


def engine(
    graph: Graph, module: Lowered | StageModule, recipe: Recipe, group: Group, class_weights: Tensor | None = None
) -> Engine:
    """Return the engine for a group of processes, with the module on its device: in a pipeline that of a stage."""
    layout = torch.channels_last if recipe.channels_last else torch.preserve_format
    module.to(group.device, memory_format=layout)  # type: ignore[call-overload]  # torch's stubs
    if isinstance(module, StageModule):
        return PipelineEngine(graph, module, recipe, group, class_weights)
    return ReplicaEngine(graph, module, recipe, group, class_weights)


def precision_of(recipe: Recipe, group: Group) -> Precision:
    """Return the context of a forward pass: autocast, or nothing for float32."""
    return nullcontext if recipe.amp == "off" else partial(torch.autocast, group.device.type, TYPES[recipe.amp])


def replicated(module: nn.Module) -> nn.Module:
    """Return a module whose gradients are averaged over the processes."""
    slower = "Grad strides do not match bucket view strides"  # each process would warn that this costs a copy
    warnings.filterwarnings("ignore", message=slower, category=UserWarning)
    return DistributedDataParallel(module)


class ReplicaEngine:
    """The whole network in each process, gradients averaged over them (DDP)."""

    def __init__(
        self, graph: Graph, module: Lowered, recipe: Recipe, group: Group, class_weights: Tensor | None = None
    ) -> None:
        self.recipe, self.group, self.precision = recipe, group, precision_of(recipe, group)
        self.class_weights = class_weights
        self.module: nn.Module = module
        # a linear probe trains no auxiliary classifiers; the losses that a recipe names count in every mode
        self.is_named = bool(graph.named_losses)
        has_all = self.is_named or recipe.mode != "linear-probe"
        self.losses = graph.training_results if has_all else graph.training_results[:1]
        if recipe.sync_bn:
            synchronised(module)
        if recipe.checkpoint:
            checkpoint_segments(module, graph, recipe.batch)
        if recipe.compile:
            module.compile()
        self.outer: nn.Module = replicated(module) if group.size > 1 else module

    def set_mode(self, is_training: bool) -> None:
        """See Engine."""
        self.outer.train(is_training)

    def backward(self, parts: Iterable[MicroBatch], count: int, scaler: GradScaler) -> StepResult:
        """See Engine."""
        if self.is_named:  # in a linear probe, too, whose layers are in evaluation mode
            self.module.training = True
        found = []
        for number, part in enumerate(parts, 1):
            together = number == count or self.outer is self.module
            with nullcontext() if together else self.outer.no_sync():  # type: ignore[operator]  # DDP's
                found.append(self._backward(part, count, scaler))
        losses, seen = zip(*found, strict=True)
        return StepResult(_sum(losses), _sum(seen))

    def _backward(self, part: MicroBatch, count: int, scaler: GradScaler) -> StepResult:
        with self.precision():
            outputs = self.outer(part.images)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        smoothing, weights = self.recipe.label_smoothing, self.class_weights
        losses = [part.target.loss(output.float(), smoothing, weights) for output in outputs]
        shares = zip((one.weight for one in self.losses), losses, strict=True)
        loss = _sum([one if weight == count else weight / count * one for weight, one in shares])
        torch.autograd.backward(scaler.scale(loss))
        return StepResult(loss.detach(), part.target.seen(outputs[0].detach(), *(one.detach() for one in losses)))

    def scores(self, images: Tensor) -> Tensor:
        """See Engine."""
        with self.precision():
            found = self.module(images)
        scores: Tensor = found[0] if isinstance(found, tuple) else found
        return scores.float()

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
        restore_state(optimizer, memory.get("state"))


def _sum(values: Sequence[Tensor]) -> Tensor:
    """Return the sum without an addition to 0, which would show in the time of a small step."""
    return sum(values[1:], values[0])


class PipelineEngine:
    """A stage of the network in each process (pipeline parallelism)."""

    def __init__(
        self, graph: Graph, module: StageModule, recipe: Recipe, group: Group, class_weights: Tensor | None = None
    ) -> None:
        self.recipe, self.group = recipe, group
        self.pipeline = Pipeline(graph, module, recipe, group, precision_of(recipe, group))
        self.pipeline.class_weights = class_weights
        self.module: nn.Module = self.pipeline.module
        self.losses = self.pipeline.losses

    def set_mode(self, is_training: bool) -> None:
        """See Engine."""
        self.module.train(is_training)

    def backward(self, parts: Iterable[MicroBatch], count: int, scaler: GradScaler) -> StepResult:  # noqa: ARG002
        """See Engine."""
        images, targets = zip(*parts, strict=True)
        packed = [target.packed() for target in targets if isinstance(target, Target)]  # all: it trains no maps
        seen = self.pipeline.train_step(torch.cat(images), torch.cat(packed))
        sums = (seen[0], *seen[3:])
        return StepResult(
            _sum([one.weight * value for one, value in zip(self.losses, sums, strict=True)]) / seen[2], seen
        )

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
