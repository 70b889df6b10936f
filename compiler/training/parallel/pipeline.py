"""A network split over several processes, one stage in each: model parallelism.

In: a network's graph, the module of this process's stage, a recipe, the group of processes. Out: training steps and
scores, equal to those of a single process. A step's images go through the stages in micro-batches: while one process
works on a micro-batch, the process before it works on the next (1F1B: Narayanan et al. 2019, "PipeDream"; with fewer
micro-batches than stages GPipe: Huang et al. 2019). All processes call the same methods in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from archspec.compiler.data.augmentation.mixup import Target
from archspec.compiler.lowering.stage_module import StageModule
from archspec.compiler.training.parallel.processes import Group
from archspec.diagnostics.errors import failure
from archspec.graph.ir import Graph
from archspec.recipe import Recipe

if TYPE_CHECKING:  # it takes a second to import, which a run without a pipeline does not wait for
    from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe

Precision = Callable[[], AbstractContextManager[Any]]
Form = tuple[tuple[int, ...], torch.dtype, bool]  # of a value: one image's shape, the type, whether it has a gradient


class Pipeline:
    """The stage of this process, `module`, and its connection to the others.

    A step takes `recipe.accumulate` micro-batches of `recipe.batch` images. `precision` is entered around each forward
    pass.

    Raises ArchspecError for a single process.
    """

    def __init__(
        self, graph: Graph, module: StageModule, recipe: Recipe, group: Group, precision: Precision = nullcontext
    ) -> None:
        if group.size == 1:
            helps = ("`archspec train --processes 2 ...` starts two",)
            raise failure("E471", "a pipeline requires at least 2 processes, got 1", helps=helps)
        self.module = module
        self.group, self.recipe = group, recipe
        self.losses = graph.training_results
        self.last = group.size - 1  # the process that has the results
        self._input, self._output = (graph.nodes[index].volume.laid_out for index in (0, graph.output))
        self._precise = _Precise(self.module, precision)
        self.class_weights: Tensor | None = None  # of the loss
        self._scale = 1.0
        self._seen = torch.zeros(2 + len(self.losses), dtype=torch.float64, device=group.device)

    @property
    def images(self) -> int:
        """The number of images per step."""
        return self.recipe.batch * self.recipe.accumulate

    def train_step(self, images: Tensor, targets: Tensor) -> Tensor:
        """Add a step's gradients to the stage's parameters.

        The first process reads the images (the others only their number), the last one the packed targets. Gradients
        are those of the mean loss over all images.

        Returns in each process the sum of the first loss, the number of right first guesses, that of images, and the
        sums of the other losses.
        """
        if len(images) != self.images:
            raise ValueError(f"{len(images)} images, and a step takes {self.images}")
        self._scale = 1 / self.recipe.accumulate
        self._seen.zero_()
        schedule = self._training
        self.module.train()
        is_last = self.group.rank == self.last
        schedule.step(*self._given(images), target=targets if is_last else None, return_outputs=False)
        return self._from_last(self._seen.clone())

    @torch.no_grad()
    def evaluate(self, images: Tensor) -> Tensor:
        """Return the output for any number of images in each process. The first process reads the images."""
        starts = range(0, len(images), self.images)
        return torch.cat([self._scores(images[start : start + self.images]) for start in starts])

    def _scores(self, images: Tensor) -> Tensor:
        """Return the output for at most one step's images: a pipeline's sizes are fixed, so they are zero-padded."""
        schedule = self._scoring
        self.module.eval()
        filling = (0,) * (2 * images.dim() - 1) + (self.images - len(images),)
        found = schedule.step(*self._given(functional.pad(images, filling)))
        scores = found[0] if isinstance(found, tuple) else found
        if scores is None:
            scores = torch.empty(self.images, *self._output, device=self.group.device)
        return self._from_last(scores.float())[: len(images)]

    def _given(self, images: Tensor) -> tuple[Tensor, ...]:
        return (images,) if self.group.is_first else ()

    def _from_last(self, value: Tensor) -> Tensor:
        distributed.broadcast(value, self.last)
        return value

    def _loss(self, outputs: Tensor | tuple[Tensor, ...], packed: Tensor) -> Tensor:
        """Return a micro-batch's part of the loss."""
        target = Target.unpacked(packed)
        results = outputs if isinstance(outputs, tuple) else (outputs,)
        smoothing = self.recipe.label_smoothing
        losses = [target.loss(output.float(), smoothing, self.class_weights) for output in results]
        self._seen += target.seen(results[0].detach(), *(one.detach() for one in losses))
        parts = [term.weight * loss for term, loss in zip(self.losses, losses, strict=True)]
        return torch.stack(parts).sum() * self._scale

    # ---- state
    def parameters(self) -> Iterator[nn.Parameter]:
        """Return the parameters of this process's stage."""
        return self.module.parameters()

    def state_dict(self) -> dict[str, Any]:
        """Return the whole network's weights in the first process, on the CPU; an empty dict in the others."""
        return self.gathered({name: tensor.cpu() for name, tensor in self.module.state_dict().items()})

    def load_state_dict(self, whole: Mapping[str, Tensor]) -> None:
        """Load this stage's part of the whole network's weights."""
        self.module.load_state_dict({name: whole[name] for name in self.module.state_dict()})

    def gathered(self, own: dict[str, Any]) -> dict[str, Any]:
        """Return the values of all stages in the first process; an empty dict in the others."""
        parts: list[dict[str, Any]] | None = [{}] * self.group.size if self.group.is_first else None
        distributed.gather_object(own, parts)
        return {name: value for part in parts or () for name, value in part.items()}

    # ---- torch's schedules
    @cached_property
    def _training(self) -> Schedule1F1B | ScheduleGPipe:
        from torch.distributed.pipelining import Schedule1F1B, ScheduleGPipe

        schedule = Schedule1F1B if self.recipe.accumulate >= self.group.size else ScheduleGPipe
        stage = self._stage(is_training=True)
        return schedule(stage, self.recipe.accumulate, loss_fn=self._loss, scale_grads=False)

    @cached_property
    def _scoring(self) -> ScheduleGPipe:
        from torch.distributed.pipelining import ScheduleGPipe

        return ScheduleGPipe(self._stage(is_training=False), self.recipe.accumulate, scale_grads=False)

    def _stage(self, *, is_training: bool) -> PipelineStage:
        """Return the stage with the shapes of its values, which torch would otherwise find by a step on uninitialised
        memory. That step would change the statistics of batch normalisations."""
        from torch.distributed.pipelining import PipelineStage

        given, results = ([self._example(form) for form in forms] for forms in self._forms(is_training))
        return PipelineStage(
            self._precise,
            self.group.rank,
            self.group.size,
            self.group.device,
            input_args=tuple(given),
            output_args=tuple(results),
        )

    def _example(self, form: Form) -> Tensor:
        shape, dtype, has_gradient = form
        return torch.empty(self.recipe.batch, *shape, dtype=dtype, device="meta", requires_grad=has_gradient)

    def _forms(self, is_training: bool) -> tuple[list[Form], list[Form]]:
        """Return the forms of this stage's inputs and outputs, found by passing one image through all stages."""
        self.module.eval()
        self.module.training = is_training  # with auxiliary classifiers, but nothing else of training
        given: list[Form] = [(self._input, torch.float32, False)]
        results: list[Form] = []
        for rank in range(self.group.size):
            if rank == self.group.rank:
                results = self._try(given, is_training)
            said = [results]
            distributed.broadcast_object_list(said, rank, device=self.group.device)
            if rank == self.group.rank - 1:
                given = said[0]
        return given, results

    def _try(self, given: list[Form], is_training: bool) -> list[Form]:
        values = [
            torch.zeros(1, *shape, dtype=dtype, device=self.group.device, requires_grad=has_gradient)
            for shape, dtype, has_gradient in given
        ]
        with torch.set_grad_enabled(is_training):
            found = self._precise(*values)
        results = found if isinstance(found, tuple) else (found,)
        return [(tuple(value.shape[1:]), value.dtype, value.requires_grad) for value in results]


class _Precise(nn.Module):
    """A module whose forward pass runs in a precision."""

    def __init__(self, inner: nn.Module, precision: Precision) -> None:
        super().__init__()
        self.inner, self.precision = inner, precision

    def forward(self, *values: Tensor) -> Any:
        """Run it."""
        with self.precision():
            return self.inner(*values)
