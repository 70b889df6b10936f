"""The images of a step on the device: normalised, partly erased, mixed.

In: the batches of a step in one process. Out: for each, images and what they show. What is drawn for an image depends
on the step and on the image's place in it, over all processes. Its partner in a mixture is half a step away, which is
in the same process if each has an even number of images. So the images of a step do not depend on how they are divided
into processes and batches; with an odd number in each of several processes, they are mixed with other partners.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from archspec.compiler.data.augmentation.erasing import cut_out, erase
from archspec.compiler.data.augmentation.mixup import Target, mixed
from archspec.compiler.data.dataset import Batch
from archspec.compiler.data.maps.target import MapTarget, counted_pixels
from archspec.recipe import Recipe

Labels = Target | MapTarget  # of a batch: classes of images, or of pixels
Normalise = Callable[[Batch], tuple[Tensor, Tensor]]
ERASING, MIXING = "erasing", "mixing"  # what a random number is for


class StepImages:
    """Prepares the batches of steps in one of some processes, to which images are dealt in turn."""

    def __init__(
        self,
        recipe: Recipe,
        normalise: Normalise,
        rank: int = 0,
        processes: int = 1,
        total: Callable[[Tensor], Tensor] = lambda counts: counts,
    ) -> None:
        self.recipe, self.normalise, self.rank, self.processes = recipe, normalise, rank, processes
        self.total = total  # over the processes

    def parts(self, batches: Sequence[Batch], seed: int) -> Iterator[tuple[Tensor, Labels]]:
        """Yield images and targets of each batch of a step; `seed` is the step's, the same in all processes."""
        return self._of_maps(batches) if batches[0].classes.dim() > 1 else self._of_images(batches, seed)

    def _of_maps(self, batches: Sequence[Batch]) -> Iterator[tuple[Tensor, Labels]]:
        """Yield images and the classes of their pixels: neither erased nor mixed."""
        pixels: Tensor | None = None
        for batch in batches:
            images, classes = self.normalise(batch)
            if pixels is None:
                counted = sum(counted_pixels(one.classes) for one in batches)
                whole = self.total(torch.tensor(float(counted), device=classes.device))
                pixels = whole.clamp(min=1) / (len(batches) * self.processes)
            yield images, MapTarget(classes, pixels)

    def _of_images(self, batches: Sequence[Batch], seed: int) -> Iterator[tuple[Tensor, Labels]]:
        count = sum(len(batch.classes) for batch in batches)
        first = 0
        for batch in batches:
            places = range(first, first + len(batch.classes))
            first = places.stop
            own = self._erased(batch, places, seed)
            if not places or not (self.recipe.mixup or self.recipe.cutmix):
                yield own[0], Target(own[1])
                continue
            partners = [(place + count // 2) % count for place in places]
            if len(batches) == 1:
                others = own[0].roll(-(count // 2), 0), own[1].roll(-(count // 2))
            else:
                others = self._erased(_chosen(batches, partners), partners, seed)
            yield mixed(own, others, self.recipe, self._chances(places, seed, MIXING))

    def _erased(self, batch: Batch, places: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
        """Return normalised images with what the recipe erases, and their classes."""
        images, classes = self.normalise(batch)
        if len(classes) and (self.recipe.cutout or self.recipe.erasing):
            chances = self._chances(places, seed, ERASING)
            if self.recipe.erasing:
                erase(images, self.recipe.erasing, chances)
            if self.recipe.cutout:
                cut_out(images, self.recipe.cutout, chances)
        return images, classes

    def _chances(self, places: Sequence[int], seed: int, purpose: str) -> list[random.Random]:
        """Return the random numbers of images, given their places in this process's part of the step."""
        return [random.Random(f"{seed} {place * self.processes + self.rank} {purpose}") for place in places]


def _chosen(batches: Sequence[Batch], places: Sequence[int]) -> Batch:
    """Return some images of all batches."""
    images = [image for batch in batches for image in batch.images]
    classes = torch.cat([batch.classes for batch in batches])
    return Batch(torch.stack([images[place] for place in places]), classes[list(places)])
