"""Images in a pipeline, where only the first process reads them.

In: the images of the first process. Out: in the others, batches with the same classes whose images are on the `meta`
device: they have a shape and no values. The last process needs the classes, for the loss, and all of them how many
there are: an image that cannot be read is replaced by one that may be of another class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, distributed

from archspec.compiler.data.dataset import Batch, Data, Images, InOrder, Key, Shuffled
from archspec.compiler.data.loader import loader
from archspec.compiler.training.parallel.processes import Group

Order = Shuffled | InOrder


class UnreadImages:
    """Images that another process reads: their classes, and the shape of one, [C, H, W]."""

    def __init__(self, classes: Tensor, shape: tuple[int, ...]) -> None:
        self.classes, self.shape = classes, shape

    def __len__(self) -> int:
        return len(self.classes)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """Return images without values."""
        places = torch.tensor([place for place, _ in keys])
        return self.batch(self.classes[places], places)

    def name(self, place: int) -> str:
        """Return the number of an image: its file is known to the first process."""
        return f"image {place:,}"

    def batch(self, classes: Tensor, places: Tensor) -> Batch:
        """Return images of these classes and places, without values."""
        images = torch.empty(len(classes), *self.shape, dtype=torch.uint8, device="meta")
        return Batch(images, classes, places=tuple(places.tolist()))


def shared_data(read: Callable[[], Data], shape: tuple[int, ...], group: Group) -> Data:
    """Return the data that `read` finds; in a pipeline only the first process reads them. If it fails, so do all."""
    if not (group.is_pipeline and distributed.is_initialized()):  # `--dry-run` needs no other processes
        return read()
    own = group.first(read)
    said: list[Any] = [None]
    if own is not None:
        train, held_out = (UnreadImages(part.classes, shape) for part in (own.train, own.held_out))
        said = [replace(own, train=train, held_out=held_out)]
    distributed.broadcast_object_list(said)
    told: Data = said[0]
    return own or told


def batches_of(images: Images, order: Order, size: int, workers: int, group: Group) -> Iterable[Batch]:
    """Return batches in the order of a sampler; in a pipeline the first process tells the others their classes."""
    if not group.is_pipeline:
        return loader(images, order, size, workers, group.device)
    if isinstance(images, UnreadImages):
        assert isinstance(order, Sized)  # as all of ours
        return _Followed(images, order, size)
    return _Told(loader(images, order, size, workers, group.device), size)


class _Told:
    """Batches whose classes and places the other processes are told."""

    def __init__(self, batches: Iterable[Batch], size: int) -> None:
        self.batches, self.size = batches, size

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.batches:
            said = torch.zeros(2, 1 + self.size, dtype=torch.long)
            said[:, 0] = len(batch.classes)
            said[0, 1 : 1 + len(batch.classes)] = batch.classes
            said[1, 1 : 1 + len(batch.places)] = torch.tensor(batch.places)
            distributed.broadcast(said, 0)  # on the CPU, so it does not wait for a GPU
            yield batch


class _Followed:
    """The same batches in another process."""

    def __init__(self, images: UnreadImages, order: Order, size: int) -> None:
        self.images, self.order, self.size = images, order, size

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(-(-len(self.order) // self.size)):
            said = torch.empty(2, 1 + self.size, dtype=torch.long)
            distributed.broadcast(said, 0)
            yield self.images.batch(*said[:, 1 : 1 + int(said[0, 0])])
