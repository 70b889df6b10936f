"""A folder of images as `archspec data` and `archspec train` see it before anything is trained.

In: a folder, or the `Data` of a run. Out: a `FolderSurvey`: its parts, classes, sizes and colours, the findings, and
the errors with which training would refuse it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from archspec.compiler.data.dataset import Data
from archspec.compiler.data.folder import ANY, FolderLayout, checked, class_names, folder, image_files, photos_of
from archspec.compiler.data.hygiene.findings import FolderFinding, ImagePart, ImageSet, findings
from archspec.compiler.data.hygiene.headers import Header, Headers, headers
from archspec.compiler.data.photos import Photos
from archspec.diagnostics.errors import ArchspecError
from archspec.diagnostics.findings import Diagnostic
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

TO_TRAIN, HELD_OUT = "to train on", "held out"


@dataclass(frozen=True)
class SurveyedPart:
    """A part of a folder, what training does with it, and how many images each class has."""

    path: Path
    use: str
    classes: Counter[str]


@dataclass(frozen=True)
class Sides:
    """The smallest and the largest image by area, and the median of the short sides, in pixels."""

    smallest: tuple[int, int]
    largest: tuple[int, int]
    median: int


@dataclass(frozen=True)
class Survey:
    """What is known of any folder. `refusals` are the errors with which training would end at once."""

    root: Path
    colours: Counter[str]
    sides: Sides | None  # of the readable images
    findings: tuple[FolderFinding, ...]
    refusals: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class FolderSurvey(Survey):
    """All about a folder of classes."""

    parts: tuple[SurveyedPart, ...]

    @property
    def images(self) -> int:
        """How many image files there are."""
        return sum(part.classes.total() for part in self.parts)

    @property
    def fewest(self) -> tuple[str, int]:
        """The class with the fewest images to train on, and their number."""
        return min(self.parts[0].classes.items(), key=lambda item: item[1])

    @property
    def most(self) -> tuple[str, int]:
        """The class with the most images to train on, and their number."""
        return max(self.parts[0].classes.items(), key=lambda item: item[1])


def survey(
    root: Path, size: tuple[int, ...] | None, read: Callable[[Path], Header | None], seen: Callable[[int, int], None]
) -> FolderSurvey:
    """Survey a folder for an input of this size. `seen` is told how many of how many files were read.

    Raises ArchspecError for a folder that is not laid out for training, or has no images.
    """
    volume = Volume(size) if size else None
    refused: list[ArchspecError] = []  # for some classes; the others are surveyed
    data = folder(root, volume or ANY, Recipe(), refused.append)
    layout = FolderLayout.of(root)
    parts = _parts(layout, data)
    paths = [path for part in parts for path in part.classes]
    done = iter(range(1, len(paths) + 1))
    found = headers(paths, read, lambda: seen(next(done), len(paths)))
    images = ImageSet(root, parts, found, volume, bool(layout.parts), layout.unused)
    surveyed = [SurveyedPart(*about, part.counts) for about, part in zip(_uses(layout), parts, strict=True)]
    return FolderSurvey(
        root=root,
        parts=tuple(surveyed),
        colours=Counter(one.colours for one in images.readable.values()),
        sides=sides_of(images.readable.values()),
        findings=findings(images),
        refusals=tuple(one for error in refused for one in error.diagnostics) or refusals(lambda: checked(data, found)),
    )


def sides_of(found: Iterable[Header]) -> Sides | None:
    """Return the sides of images, None for none."""
    sizes = sorted((one.size for one in found), key=lambda size: size[0] * size[1])
    return Sides(sizes[0], sizes[-1], median_low(map(min, sizes))) if sizes else None


def _parts(layout: FolderLayout, data: Data) -> tuple[ImagePart, ...]:
    """Return the parts with their classes; in a folder without parts, all images together."""
    train, held_out = (_part(part, data.class_names) for part in photos_of(data))
    if layout.train is None or layout.held_out is None:
        return (ImagePart(f"`{layout.root}`", dict(sorted((train | held_out).items()))),)
    own = [ImagePart(f"`{layout.train.name}`", train), ImagePart(f"`{layout.held_out.name}`", held_out)]
    if layout.test and layout.test != layout.held_out:
        names = class_names(layout.test, least=0)  # which may differ: training does not read them
        found = {path: name for name in names for path in image_files(layout.test / name)}
        own.append(ImagePart(f"`{layout.test.name}`", found))
    return tuple(own)


def _uses(layout: FolderLayout) -> list[tuple[Path, str]]:
    """Return the folder of each part, and what it is for."""
    if layout.train is None or layout.held_out is None:
        return [(layout.root, f"{TO_TRAIN}; a tenth of each class is {HELD_OUT}")]
    rest = [(path, "for `eval --split test`") for path in layout.parts if path not in (layout.train, layout.held_out)]
    return [(layout.train, TO_TRAIN), (layout.held_out, HELD_OUT), *rest]


def _part(photos: Photos, names: tuple[str, ...]) -> dict[Path, str]:
    return {path: names[number] for path, number in zip(photos.paths, photos.classes.tolist(), strict=True)}


def refusals(check: Callable[[], object]) -> tuple[Diagnostic, ...]:
    """Return the errors with which a check ends."""
    try:
        check()
    except ArchspecError as error:
        return error.diagnostics
    return ()


# ---- in `archspec train`
def findings_of(root: Path, data: Data, found: Headers) -> tuple[FolderFinding, ...]:
    """Return what is found in the images of a run."""
    names = ("`train`", f"`{data.held_out_in}`") if data.held_out_in else ("the training part", "the held-out part")
    photos = photos_of(data)
    parts = tuple(ImagePart(name, _part(part, data.class_names)) for name, part in zip(names, photos, strict=True))
    unused = FolderLayout.of(root).unused
    return findings(ImageSet(root, parts, found, photos[0].volume, bool(data.held_out_in), unused))


def hygiene_lines(found: Iterable[FolderFinding]) -> list[str]:
    """Return a line for each finding, and below it the files that a run trains on and holds out."""
    lines = []
    for one in found:
        if one.kind != "unreadable":  # which are named one by one
            lines.append(f"warning[{one.code}]: {one.message}; {one.advice}")
        if one.kind == "leaks":
            lines += [f"  {text}" for text in one.examples]
    return lines
