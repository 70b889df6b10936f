"""A trained network evaluated on the pixels of images with masks.

In: weights, pairs, settings. Out: a `MapEvaluation`, and the images that were left out. Images and masks are prepared
as in training: at the network's input, masks at the pixels that it outputs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import torch

from archspec.compiler.data.damaged import first_few
from archspec.compiler.data.dataset import InOrder
from archspec.compiler.data.loader import loader
from archspec.compiler.data.maps.pair_data import PairFiles, need_pairs, pair_files
from archspec.compiler.data.maps.pairs import MapVolumes, Pairs
from archspec.compiler.evaluation.evaluate import EvaluationSettings
from archspec.compiler.evaluation.maps.map_counting import PixelTally, guesses_of
from archspec.compiler.evaluation.maps.map_evaluation import MapEvaluation
from archspec.compiler.evaluation.maps.pair_examples import PairExamples
from archspec.compiler.progress import Progress, clock
from archspec.compiler.weights.trained import Trained, first_output
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import plural
from archspec.recipe import Recipe


@dataclass(frozen=True)
class MapResult:
    """The evaluation, and the files of pairs that were left out."""

    evaluation: MapEvaluation
    damaged: tuple[str, ...]


def evaluate_map(
    trained: Trained, examples: PairExamples, settings: EvaluationSettings, progress: Progress
) -> MapResult:
    """Evaluate weights on pairs. Raises ArchspecError for masks of other classes, too many damaged files, and NaN."""
    pairs = _pairs(trained, pair_files(examples.folder))
    module = first_output(trained, trained.network).to(settings.device)
    mean, std = (
        torch.tensor(one, device=settings.device)[:, None, None]
        for one in (trained.preprocessing.mean, trained.preprocessing.std)
    )
    tally, damaged = PixelTally(len(trained.class_names), settings.device), list[str]()
    begun, done = time.monotonic(), 0
    order = InOrder(len(pairs), 0, 1)
    for batch in loader(pairs, order, settings.batch, settings.workers, settings.device):
        damaged += batch.damaged
        if len(damaged) > settings.most_damaged:
            message = f"more than {settings.most_damaged:,} of {len(pairs):,} images cannot be read"
            helps = ("remove or repair them; `--max-damaged 5%` leaves out more",)
            raise failure("E461", message, notes=first_few(damaged), helps=helps)
        if len(batch.images):
            with torch.inference_mode():
                scores = module((batch.images.to(settings.device).float() / 255 - mean) / std)
            if not scores.isfinite().all():
                helps = ("its training diverged, or its weights are damaged",)
                raise failure("E464", f"`{trained.path}` outputs NaN or infinity", helps=helps)
            tally.add(guesses_of(scores), batch.classes.to(settings.device).long())
        done += len(batch.places) + len(batch.damaged)
        progress.step(partial("{:,} of {:,} images".format, done, len(pairs)))
    seconds = time.monotonic() - begun
    progress.line(f"{plural(done, 'image')} on {settings.device} in {clock(seconds)}, {done / seconds:,.0f} images/s")
    if not tally.images:
        raise failure("E461", "none of the images can be read", notes=first_few(damaged))
    return MapResult(MapEvaluation.of(trained.class_names, tally.counts.tolist(), tally.images), tuple(damaged))


def _pairs(trained: Trained, files: PairFiles) -> Pairs:
    """Return the pairs as the network takes them. Raises ArchspecError for masks that do not fit it."""
    files = replace(files, folder=replace(files.folder, class_names=trained.class_names))
    (part,) = files.folder.parts
    listed = list(zip(part.images, part.masks, strict=True))
    network = trained.network
    need_pairs(files, [pair for pair in listed if files.is_readable(*pair)], network.input)
    recipe = Recipe().changed({"eval_crop": trained.preprocessing.crop})
    return Pairs(part.images, part.masks, MapVolumes(network.input, network.output), recipe)
