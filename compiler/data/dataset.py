"""What a run trains on: images as bytes, with their classes, split in two.

In: a folder, or nothing for the bundled digits. Out: `Data`. An item's augmentation depends on the seed, the epoch and
its number alone, not on the process or the worker that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import Sampler

Key = tuple[int, int]  # the number of an image, and the seed of its augmentation (negative: none)

LEAST_DAMAGED = 10


class Batch(NamedTuple):
    """Images [B, C, H, W] in bytes, their classes [B], and the files that could not be read."""

    images: Tensor
    classes: Tensor
    damaged: tuple[str, ...] = ()


class Images(Protocol):
    """A part of the data."""

    classes: Tensor

    def __len__(self) -> int: ...

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """The images of a batch; what a key's second part is negative for is not augmented.

        In the place of an augmented image that cannot be read stands another one; others are left out.
        """
        ...


@dataclass(frozen=True)
class Data:
    """Images to train on and to hold out. `mean` and `std` are those of each colour in 0 .. 1."""

    train: Images
    held_out: Images
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    description: str
    damaged: tuple[str, ...] = ()  # files that are left out
    variation: str = ""  # where it is not the recipe's
    source: str = "folder"  # or "digits"
    fingerprint: str = ""  # of a folder: `folder.fingerprint` of all its images

    @property
    def most_damaged(self) -> int:
        """How many images may be unreadable before a run stops."""
        return most_damaged(len(self.train) + len(self.held_out))


def most_damaged(images: int) -> int:
    """How many of so many images may be unreadable: one in a hundred, or ten."""
    return max(LEAST_DAMAGED, images // 100)


class Shuffled(Sampler[Key]):
    """The training images of one epoch for one process, in an order that seed and epoch decide; from `start` on.

    Every process gets as many; what is left over at the end goes to none in this epoch.
    """

    def __init__(self, count: int, seed: int, rank: int, processes: int) -> None:
        self.count, self.seed, self.rank, self.processes = count, seed, rank, processes
        self.epoch = 0
        self.start = 0

    def __len__(self) -> int:
        return self.count // self.processes - self.start

    def __iter__(self) -> Iterator[Key]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        order = torch.randperm(self.count, generator=generator).tolist()
        most = self.count // self.processes * self.processes
        for index in order[self.rank : most : self.processes][self.start :]:
            yield index, ((self.seed * 1_000_003 + self.epoch) * 1_000_003 + index) % 2**62  # an int64 holds it


class InOrder(Sampler[Key]):
    """The held-out images of one process, each of them once over all processes."""

    def __init__(self, count: int, rank: int, processes: int) -> None:
        self.places = range(rank, count, processes)

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Key]:
        return iter([(place, -1) for place in self.places])


def stratified(classes: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers of images to train on and to hold out: of each class `share` is held out, at least one."""
    generator = torch.Generator().manual_seed(seed)
    train, held_out = [], []
    for one in sorted(set(classes.tolist())):
        own = (classes == one).nonzero().flatten()
        own = own[torch.randperm(len(own), generator=generator)]
        cut = max(1, round(share * len(own)))
        held_out.append(own[:cut])
        train.append(own[cut:])
    return torch.cat(train), torch.cat(held_out)
