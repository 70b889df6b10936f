"""An ensemble of networks judged by images: the mean of their probabilities over models and views.

In: members, examples, how to work. Out: what was right, of the ensemble and of each member alone. Every image counts
once; one that cannot be read counts nowhere, is named, and there is a limit to them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.counting import Tally
from archspec.compiler.evaluation.ensemble_member import Member
from archspec.compiler.evaluation.examples import Examples
from archspec.compiler.evaluation.test_time_views import Size, View, at_scale, cut
from archspec.compiler.progress import Progress, clock
from archspec.compiler.weights.metadata import Preprocessing
from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import Diagnostic, plural

NAMED = 10
Pixels = dict[Size, Tensor]  # for each size [B, V, C, H, W]


@dataclass(frozen=True)
class Batch:
    """What a worker makes: the places of the images, the pixels for each member, and images that cannot be read."""

    places: list[int]
    pixels: list[Pixels]
    damaged: list[Diagnostic]


@dataclass(frozen=True)
class Judged:
    """The evaluation of the ensemble, of each member alone, and the images that were left out."""

    together: Evaluation
    alone: tuple[Evaluation, ...]
    damaged: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Work:
    """How to work: at most `batch` images at once, decoded by `workers` processes, at most `damaged` left out."""

    device: torch.device
    batch: int
    workers: int
    damaged: int


def evaluate(members: Sequence[Member], examples: Examples, work: Work, progress: Progress) -> Judged:
    """Judge the members. Raises ArchspecError where too many images are damaged, or a network makes no numbers."""
    tallies = [Tally(examples.class_names, work.device) for _ in range(len(members) + 1)]
    classes = torch.tensor(examples.classes, device=work.device)
    damaged: list[Diagnostic] = []
    begun = time.monotonic()
    done = 0
    for batch in _loader(members, examples, work):
        damaged += batch.damaged
        _need_few(damaged, len(examples.classes), work.damaged)
        done += len(batch.places) + len(batch.damaged)
        if batch.places:
            own = classes[batch.places]
            shares = [_shares(member, pixels, work) for member, pixels in zip(members, batch.pixels, strict=True)]
            for tally, share in zip(tallies, [torch.stack(shares).mean(0), *shares], strict=True):
                tally.add(share, own)
        progress.step(partial(_line, done, len(classes), time.monotonic() - begun))
    seconds = time.monotonic() - begun
    progress.line(f"{plural(done, 'image')} on {work.device} in {clock(seconds)}, {done / seconds:,.0f} images/s")
    together, *alone = (tally.evaluation() for tally in tallies)
    if not together.images:
        raise _too_many("none of the images can be read", damaged)
    return Judged(together, tuple(alone), tuple(damaged))


@torch.inference_mode()
def _shares(member: Member, pixels: Pixels, work: Work) -> Tensor:
    """Probabilities. Raises ArchspecError where they are none, and where the GPU's memory is full."""
    try:
        shares = member({size: images.to(work.device) for size, images in pixels.items()})
    except torch.OutOfMemoryError:
        message = f"the GPU's memory does not hold {plural(work.batch, 'image')} at once"
        raise failure("E466", message, helps=(f"`--batch {max(1, work.batch // 4)}`",)) from None
    if not shares.isfinite().all():
        message = f"`{member.trained.path}` makes what is no number of some image"
        helps = ("its training has diverged, or its weights are damaged",)
        raise failure("E464", message, helps=helps)
    return shares


def _line(done: int, of: int, seconds: float) -> str:
    return f"{done:,} of {of:,} images, {clock(seconds * (of - done) / done)} left"


def _need_few(damaged: Sequence[Diagnostic], images: int, most: int) -> None:
    if len(damaged) > most:
        raise _too_many(f"more than {most:,} of {images:,} images cannot be read", damaged)


def _too_many(message: str, damaged: Sequence[Diagnostic]) -> ArchspecError:
    helps = ("take them out or mend them; `--max-damaged 5%` leaves out more",)
    return failure("E461", message, notes=named(damaged), helps=helps)


def named(damaged: Sequence[Diagnostic]) -> tuple[str, ...]:
    """The first of what cannot be read, and how many more there are."""
    more = (f"and {len(damaged) - NAMED:,} more",) if len(damaged) > NAMED else ()
    return (*(one.message + "".join(f": {note}" for note in one.notes) for one in damaged[:NAMED]), *more)


# ---- images, perhaps in other processes
def _loader(members: Sequence[Member], examples: Examples, work: Work) -> DataLoader[Any]:
    plans = [(member.trained.preprocessing, member.views) for member in members]
    images = max(1, work.batch // max(len(member.views) for member in members))
    return DataLoader(_Pieces(examples, plans), images, num_workers=work.workers, collate_fn=_whole)


class _Pieces(Dataset[Any]):
    """A whole batch at once, for the DataLoader."""

    def __init__(self, examples: Examples, plans: Sequence[tuple[Preprocessing, tuple[View, ...]]]) -> None:
        self.examples, self.plans = examples, plans

    def __len__(self) -> int:
        return len(self.examples.classes)

    def __getitems__(self, places: list[int]) -> Batch:
        kept: list[int] = []
        images: list[list[Pixels]] = []
        damaged: list[Diagnostic] = []
        for place in places:
            try:
                images.append([self._pixels(place, *plan) for plan in self.plans])
                kept.append(place)
            except Finding as finding:
                damaged.append(Diagnostic(finding.code, finding.message, notes=finding.notes, helps=finding.helps))
        return Batch(kept, [_stacked(own) for own in zip(*images, strict=True)], damaged)

    def _pixels(self, place: int, preprocessing: Preprocessing, views: tuple[View, ...]) -> Pixels:
        """The views of an image, those of a size together [V, C, H, W]."""
        largest = at_scale(preprocessing, max(view.scale for view in views))
        pieces = cut(self.examples.image(place, preprocessing, largest), views, preprocessing)
        found: dict[Size, list[Tensor]] = {}
        for view, piece in zip(views, pieces, strict=True):
            found.setdefault(view.size(preprocessing), []).append(torch.from_numpy(piece))
        return {size: torch.stack(own) for size, own in found.items()}


def _stacked(images: Sequence[Pixels]) -> Pixels:
    return {size: torch.stack([one[size] for one in images]) for size in images[0]}


def _whole(batch: Any) -> Any:
    return batch
