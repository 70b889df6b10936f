"""Batches of images, made while the device works on earlier ones.

In: images and an order. Out: batches; images are asked for a whole batch at once, so that those already in memory are
gathered by a single index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from archspec.compiler.data.dataset import Batch, Images, Key

WORKERS = 2  # processes that decode the images of a folder, by default


def workers_for(given: int | None, is_folder: bool) -> int:
    """Return how many processes decode images; 0 for none but the run's own: the bundled digits need no others."""
    return given if given is not None else WORKERS if is_folder else 0


def loader(images: Images, order: Sampler[Key], batch: int, workers: int, device: torch.device) -> Iterable[Any]:
    """Return batches in the order of a sampler, made by `workers` processes, or by this one for 0."""
    if not workers and device.type == "cpu":
        return OwnBatches(images, order, batch)
    own = torch.Generator()  # a loader draws a seed for its workers, which must not advance the run's generator
    return DataLoader(
        _Batched(images),
        batch_size=batch,
        sampler=order,
        num_workers=workers,
        collate_fn=_whole,
        generator=own,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )


class OwnBatches:
    """Batches made by this process when they are asked for: a DataLoader takes as long as a small step's images."""

    def __init__(self, images: Images, order: Sampler[Key], batch: int) -> None:
        self.images, self.order, self.batch = images, order, batch

    def __iter__(self) -> Iterator[Batch]:
        keys = iter(self.order)
        while taken := list(islice(keys, self.batch)):
            yield self.images.__getitems__(taken)


class _Batched(Dataset[Any]):
    """Gives a DataLoader a whole batch at once."""

    def __init__(self, images: Images) -> None:
        self.images = images

    def __getitems__(self, keys: list[Key]) -> Batch:
        return self.images.__getitems__(keys)


def _whole(batch: Any) -> Any:
    return batch
