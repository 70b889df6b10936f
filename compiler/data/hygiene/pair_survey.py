"""A folder of images and masks as `archspec data` sees it before anything is trained.

In: a folder. Out: a `PairSurvey`: its parts, the pixels of its classes, sizes, the findings, and the errors with which
training would refuse it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archspec.compiler.data.hygiene.headers import Header
from archspec.compiler.data.hygiene.pair_findings import pair_findings
from archspec.compiler.data.hygiene.survey import HELD_OUT, TO_TRAIN, Survey, refusals, sides_of
from archspec.compiler.data.maps.pair_data import PairFiles, checked_pairs, listed_pairs, pair_files
from archspec.compiler.data.maps.pair_folder import pair_folder
from archspec.compiler.data.maps.pairs import MapVolumes
from archspec.graph.volume import Volume
from archspec.recipe import Recipe


@dataclass(frozen=True)
class PairsPart:
    """A part of a folder of pairs, what training does with it, its images, and the pixels of each class."""

    path: Path
    use: str
    images: int
    pixels: dict[str, int]


@dataclass(frozen=True)
class PairSurvey(Survey):
    """All about a folder of pairs."""

    parts: tuple[PairsPart, ...]
    class_names: tuple[str, ...]

    @property
    def images(self) -> int:
        """How many image files there are."""
        return sum(part.images for part in self.parts)


def pair_survey(
    root: Path, size: tuple[int, ...] | None, read: Callable[[Path], Header | None], seen: Callable[[int, int], None]
) -> PairSurvey:
    """Survey a folder for an input of this size. `seen` is told how many of how many files were read.

    Raises ArchspecError for a folder that is not laid out for training.
    """
    folder = pair_folder(root)
    count = len(folder.images) + len(folder.masks)
    done = iter(range(1, count + 1))
    files = pair_files(folder, read, lambda: seen(next(done), count))
    volume = Volume(size) if size else None
    taken = volume or Volume((1, 1, 3))
    data = listed_pairs(files, MapVolumes(taken, taken), Recipe())
    readable = [one for one in files.headers.values() if one]
    return PairSurvey(
        root=root,
        parts=_parts(files),
        class_names=files.class_names,
        colours=Counter(one.colours for one in readable),
        sides=sides_of(readable),
        findings=pair_findings(files, data, volume),
        refusals=refusals(lambda: checked_pairs(files, data)),
    )


def _parts(files: PairFiles) -> tuple[PairsPart, ...]:
    uses = (TO_TRAIN, HELD_OUT) if files.folder.held_out_in else (f"{TO_TRAIN}; a tenth is {HELD_OUT}",)
    return tuple(
        PairsPart(part.root, use, len(part.images), dict(zip(files.class_names, files.pixels(part.masks), strict=True)))
        for part, use in zip(files.folder.parts, uses, strict=True)
    )
