"""An ensemble of networks evaluated on images: the mean of their probabilities over models and views.

In: members, examples, settings. Out: an `Evaluation` of the ensemble and of each member alone. Every image counts once;
one that cannot be read is named and left out, up to a limit.
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

from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.preprocessing import Preprocessing, resized
from archspec.compiler.evaluation.confusion import Evaluation
from archspec.compiler.evaluation.counting import Tally
from archspec.compiler.evaluation.ensemble_member import EnsembleMember
from archspec.compiler.evaluation.examples import Examples
from archspec.compiler.evaluation.tta_views import Size, View, at_scale, cut
from archspec.compiler.progress import Progress, clock
from archspec.diagnostics.errors import ArchspecError, Finding, failure
from archspec.diagnostics.findings import Diagnostic, plural

Pixels = dict[Size, Tensor]  # for each size [B, V, C, H, W]


@dataclass(frozen=True)
class ViewBatch:
    """What a worker makes: the numbers of the images, the pixels for each member, and images that cannot be read."""

    places: list[int]
    pixels: list[Pixels]
    damaged: list[Diagnostic]


@dataclass(frozen=True)
class EnsembleEvaluation:
    """The evaluation of the ensemble, of each member alone, and the images that were left out."""

    together: Evaluation
    alone: tuple[Evaluation, ...]
    damaged: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class EvaluationSettings:
    """Where and how: up to `batch` images at once, decoded by `workers` processes, up to `most_damaged` left out."""

    device: torch.device
    batch: int
    workers: int
    most_damaged: int


def evaluate(
    members: Sequence[EnsembleMember], examples: Examples, settings: EvaluationSettings, progress: Progress
) -> EnsembleEvaluation:
    """Evaluate the members on the examples. Raises ArchspecError for too many damaged images, and for NaN outputs."""
    tallies = [Tally(examples.class_names, settings.device) for _ in range(len(members) + 1)]
    classes = torch.tensor(examples.classes, device=settings.device)
    damaged: list[Diagnostic] = []
    begun = time.monotonic()
    done = 0
    for batch in _loader(members, examples, settings):
        damaged += batch.damaged
        _need_few(damaged, len(examples.classes), settings.most_damaged)
        done += len(batch.places) + len(batch.damaged)
        if batch.places:
            own = classes[batch.places]
            shares = [_shares(member, pixels, settings) for member, pixels in zip(members, batch.pixels, strict=True)]
            for tally, share in zip(tallies, [torch.stack(shares).mean(0), *shares], strict=True):
                tally.add(share, own)
        progress.step(partial(_line, done, len(classes), time.monotonic() - begun))
    seconds = time.monotonic() - begun
    progress.line(f"{plural(done, 'image')} on {settings.device} in {clock(seconds)}, {done / seconds:,.0f} images/s")
    together, *alone = (tally.evaluation() for tally in tallies)
    if not together.images:
        raise _too_many("none of the images can be read", damaged)
    return EnsembleEvaluation(together, tuple(alone), tuple(damaged))


@torch.inference_mode()
def _shares(member: EnsembleMember, pixels: Pixels, settings: EvaluationSettings) -> Tensor:
    """Return probabilities. Raises ArchspecError where they are not finite, and where the GPU runs out of memory."""
    try:
        shares = member({size: images.to(settings.device) for size, images in pixels.items()})
    except torch.OutOfMemoryError:
        message = f"the GPU has too little memory for {plural(settings.batch, 'image')} at once"
        raise failure("E466", message, helps=(f"`--batch {max(1, settings.batch // 4)}`",)) from None
    if not shares.isfinite().all():
        message = f"`{member.trained.path}` outputs NaN or infinity"
        helps = ("its training diverged, or its weights are damaged",)
        raise failure("E464", message, helps=helps)
    return shares


def _line(done: int, of: int, seconds: float) -> str:
    return f"{done:,} of {of:,} images, {clock(seconds * (of - done) / done)} left"


def _need_few(damaged: Sequence[Diagnostic], images: int, most: int) -> None:
    if len(damaged) > most:
        raise _too_many(f"more than {most:,} of {images:,} images cannot be read", damaged)


def _too_many(message: str, damaged: Sequence[Diagnostic]) -> ArchspecError:
    helps = ("remove or repair them; `--max-damaged 5%` leaves out more",)
    return failure("E461", message, notes=described(damaged), helps=helps)


def described(damaged: Sequence[Diagnostic]) -> tuple[str, ...]:
    """Describe the first images that cannot be read, and say how many more there are."""
    return first_few([one.message + "".join(f": {note}" for note in one.notes) for one in damaged])


# ---- images, perhaps in other processes
def _loader(members: Sequence[EnsembleMember], examples: Examples, settings: EvaluationSettings) -> DataLoader[Any]:
    plans = [(member.trained.preprocessing, member.views) for member in members]
    images = max(1, settings.batch // max(len(member.views) for member in members))
    return DataLoader(_ViewsOfExamples(examples, plans), images, num_workers=settings.workers, collate_fn=_whole)


class _ViewsOfExamples(Dataset[Any]):
    """Gives a DataLoader the views of a whole batch at once."""

    def __init__(self, examples: Examples, plans: Sequence[tuple[Preprocessing, tuple[View, ...]]]) -> None:
        self.examples, self.plans = examples, plans

    def __len__(self) -> int:
        return len(self.examples.classes)

    def __getitems__(self, places: list[int]) -> ViewBatch:
        kept: list[int] = []
        images: list[list[Pixels]] = []
        damaged: list[Diagnostic] = []
        for place in places:
            try:
                images.append([self._pixels(place, *plan) for plan in self.plans])
                kept.append(place)
            except Finding as finding:
                damaged.append(Diagnostic(finding.code, finding.message, notes=finding.notes, helps=finding.helps))
        return ViewBatch(kept, [_stacked(own) for own in zip(*images, strict=True)], damaged)

    def _pixels(self, place: int, preprocessing: Preprocessing, views: tuple[View, ...]) -> Pixels:
        """Return the views of an image, those of one size together [V, C, H, W]."""
        largest = resized(at_scale(preprocessing, max(view.scale for view in views)), preprocessing.crop)
        pieces = cut(self.examples.image(place, preprocessing, largest), views, preprocessing)
        found: dict[Size, list[Tensor]] = {}
        for view, piece in zip(views, pieces, strict=True):
            found.setdefault(view.size(preprocessing), []).append(torch.from_numpy(piece))
        return {size: torch.stack(own) for size, own in found.items()}


def _stacked(images: Sequence[Pixels]) -> Pixels:
    return {size: torch.stack([one[size] for one in images]) for size in images[0]}


def _whole(batch: Any) -> Any:
    return batch
