"""What a run trains on: images as bytes with their classes, some of them held out, and the order they come in.

In: images, a seed. Out: `Data` and samplers. An image's augmentation depends only on the seed, the epoch and the
image's number, not on the process or worker that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import Sampler

from archspec.compiler.data.damaged import most_damaged
from archspec.diagnostics.findings import Diagnostic
from archspec.recipe import Recipe

Key = tuple[int, int]  # the number of an image, and the seed of its augmentation (negative: none)


class Batch(NamedTuple):
    """Images [B, C, H, W] as bytes, their classes [B] or those of pixels [B, H', W'] as bytes, files that could not be
    read, and the images' numbers."""

    images: Tensor
    classes: Tensor
    damaged: tuple[str, ...] = ()
    places: tuple[int, ...] = ()


class Images(Protocol):
    """The training or the held-out images."""

    classes: Tensor  # of each image; 0 where masks have the classes of pixels

    def __len__(self) -> int: ...

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        """Return the images of a batch; those whose seed is negative are not augmented.

        An augmented image that cannot be read is replaced by the next readable one; any other is left out.
        """
        ...

    def name(self, place: int) -> str:
        """Return what people call an image: its file."""
        ...


@dataclass(frozen=True)
class Data:
    """Images to train on and to hold out. `mean` and `std` are those of each channel, scaled to 0 .. 1."""

    train: Images
    held_out: Images
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    description: str
    damaged: tuple[str, ...] = ()  # files that were left out
    variation: str = ""  # the augmentation, where it is not the recipe's
    source: str = "folder"  # or "digits"
    fingerprint: str = ""  # of a folder: `folder.fingerprint` of all its images
    findings: tuple[Diagnostic, ...] = ()  # about the folder; in the first process
    held_out_in: str = ""  # the folder of the held-out images; empty if the seed chose them
    pixels: tuple[int, ...] = ()  # of each class to train on, where masks have the classes

    @property
    def counts(self) -> Tensor:
        """How many images, or pixels, of each class there are to train on."""
        if self.pixels:
            return torch.tensor(self.pixels)
        return torch.bincount(self.train.classes, minlength=len(self.class_names))

    @property
    def most_damaged(self) -> int:
        """How many images may be unreadable before a run ends."""
        return most_damaged(len(self.train) + len(self.held_out) + len(self.damaged))


class Shuffled(Sampler[Key]):
    """The training images of one epoch for one process, shuffled by seed and epoch, beginning at `start`.

    Every process gets equally many; a remainder is left out in this epoch.
    """

    def __init__(self, count: int, seed: int, rank: int, processes: int) -> None:
        self.count, self.seed, self.rank, self.processes = count, seed, rank, processes
        self.epoch = 0
        self.start = 0

    def __len__(self) -> int:
        return self.count // self.processes - self.start

    def __iter__(self) -> Iterator[Key]:
        order = self._order(torch.Generator().manual_seed(self.seed * 100_003 + self.epoch))
        most = self.count // self.processes * self.processes
        for number in order[self.rank : most : self.processes][self.start :]:
            seed = ((self.seed * 1_000_003 + self.epoch) * 1_000_003 + number) % 2**62  # fits an int64
            yield number % self.count, seed

    def _order(self, generator: torch.Generator) -> list[int]:
        """Return the numbers of an epoch's images; whenever an image comes again, its number is `count` higher."""
        return torch.randperm(self.count, generator=generator).tolist()


class Balanced(Shuffled):
    """As many images per epoch as `Shuffled`, but equally many of each class, up to one.

    The images of a small class come several times, each time with another augmentation; of a large class, each epoch
    has another part.
    """

    def __init__(self, classes: Tensor, seed: int, rank: int, processes: int) -> None:
        super().__init__(len(classes), seed, rank, processes)
        self.members = [(classes == one).nonzero().flatten() for one in classes.unique()]

    def _order(self, generator: torch.Generator) -> list[int]:
        each, more = divmod(self.count, len(self.members))
        larger = set(torch.randperm(len(self.members), generator=generator)[:more].tolist())
        chosen = torch.cat(
            [_cycled(own, each + (place in larger), self.count, generator) for place, own in enumerate(self.members)]
        )
        return chosen[torch.randperm(self.count, generator=generator)].tolist()


def _cycled(members: Tensor, wanted: int, count: int, generator: torch.Generator) -> Tensor:
    """Return as many images of a class as wanted, in rounds through all of them; each round is `count` higher."""
    rounds = range(-(-wanted // len(members)))
    parts = [members[torch.randperm(len(members), generator=generator)] + turn * count for turn in rounds]
    return torch.cat(parts)[:wanted]


def train_order(data: Data, recipe: Recipe, rank: int, processes: int) -> Shuffled:
    """Return the order of a process's training images that the recipe asks for."""
    if recipe.sampling == "balanced":
        return Balanced(data.train.classes, recipe.seed, rank, processes)
    return Shuffled(len(data.train), recipe.seed, rank, processes)


class InOrder(Sampler[Key]):
    """The held-out images of one process; over all processes each comes once."""

    def __init__(self, count: int, rank: int, processes: int) -> None:
        self.places = range(rank, count, processes)

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Key]:
        return iter([(place, -1) for place in self.places])


def stratified(classes: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return the numbers of the images to train on and to hold out: `share` of each class is held out, at least one."""
    generator = torch.Generator().manual_seed(seed)
    train, held_out = [], []
    for one in sorted(set(classes.tolist())):
        own = (classes == one).nonzero().flatten()
        own = own[torch.randperm(len(own), generator=generator)]
        cut = max(1, round(share * len(own)))
        held_out.append(own[:cut])
        train.append(own[cut:])
    return torch.cat(train), torch.cat(held_out)
