"""The images that weights are evaluated on: those that none of them were trained on, unless all are asked for.

In: a folder as `archspec train` takes it, or the bundled digits; the weights. Out: `Examples`: images with their
classes, and a sentence that says which they are. Images are decoded when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

from PIL import Image
from torch import Tensor

from archspec.compiler.data.dataset import Images
from archspec.compiler.data.decode import decode
from archspec.compiler.data.digits import WHAT, scaled, split
from archspec.compiler.data.folder import SPLITS, folder
from archspec.compiler.data.photos import Photos
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.weights.trained import Trained
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import Diagnostic, plural
from archspec.graph.volume import Volume
from archspec.recipe import Recipe

ANY = Volume((1, 1, 1))  # no image is decoded at it
DIGITS = frozenset("0123456789")  # the class names of the bundled digits
Item = TypeVar("Item")


class Examples(Protocol):
    """Images with classes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called."""
        ...

    @property
    def classes(self) -> Sequence[int]:
        """The class number of each image."""
        ...

    @property
    def source(self) -> str:
        """Where the images come from."""
        ...

    @property
    def description(self) -> str:
        """Which images they are."""
        ...

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Warnings about the images."""
        ...

    def image(self, place: int, preprocessing: Preprocessing, size: tuple[int, int]) -> Image.Image:
        """Return an image in the colours of a network, at least `size` large if the file is. Raises Finding."""
        ...


@dataclass(frozen=True)
class PhotoExamples:
    """Image files."""

    paths: tuple[Path, ...]
    classes: Sequence[int]
    class_names: tuple[str, ...]
    source: str
    description: str
    findings: tuple[Diagnostic, ...] = ()

    def image(self, place: int, preprocessing: Preprocessing, size: tuple[int, int]) -> Image.Image:
        """Decode the file."""
        return decode(self.paths[place], preprocessing.mode, size)


@dataclass(frozen=True)
class DigitExamples:
    """Some of the bundled digits, by their numbers."""

    numbers: tuple[int, ...]
    classes: Sequence[int]
    class_names: tuple[str, ...]
    source: str
    description: str
    findings: tuple[Diagnostic, ...] = ()

    def image(self, place: int, preprocessing: Preprocessing, size: tuple[int, int]) -> Image.Image:  # noqa: ARG002
        """Return the digit as in training: at the size of the input, whatever `size`."""
        pixels = _digits(preprocessing.height, preprocessing.width, preprocessing.channels)[self.numbers[place]]
        return Image.fromarray(pixels.permute(1, 2, 0).squeeze(-1).numpy())


@cache
def _digits(height: int, width: int, channels: int) -> Tensor:
    return scaled(Volume((height, width, channels)))[0]


def is_of_digits(one: Trained) -> bool:
    """Whether a network was trained on the bundled digits; files of early versions are told by their classes."""
    data = one.metadata.data
    return data.source == "digits" if data else set(one.class_names) == DIGITS


def digit_examples(trained: Sequence[Trained], everything: bool) -> DigitExamples:
    """Return the bundled digits that all of the runs held out. Raises ArchspecError where there are none."""
    _, classes, names = scaled(Volume((8, 8, 1)))
    if everything:
        numbers = list(range(len(classes)))
        description = f"{WHAT}: all {len(numbers):,}, including training images"
    else:
        known = _known(trained, WHAT)
        numbers = _in_all([split(classes, seed)[1].tolist() for seed in known], WHAT)
        description = f"{WHAT}: {len(numbers):,} {_held_out(known)}"
    return DigitExamples(tuple(numbers), classes[numbers].tolist(), names, WHAT, description)


def folder_examples(root: Path, trained: Sequence[Trained], everything: bool) -> PhotoExamples:
    """Return the images of a folder that all of the runs held out. Raises ArchspecError where there are none."""
    splits = [name for name in SPLITS if (root / name).is_dir()]
    if splits and not (root / "train").is_dir():
        return _photos(root, *_listed(root / splits[0]), f"`{splits[0]}`")
    if everything:
        return _photos(root, *_listed(root), "including training images")
    if splits:
        return _photos(root, *_listed(root, "held_out"), f"`{splits[0]}`")
    known = _known(trained, f"`{root}`")
    data = [folder(root, ANY, Recipe(seed=seed)) for seed in known]
    held_out = [_classes(one.held_out) for one in data]
    kept = _in_all([list(one) for one in held_out], f"`{root}`")
    whole = data[0].fingerprint
    is_sure = all(one.metadata.data is not None and one.metadata.data.fingerprint == whole for one in trained)
    which = _held_out(known) if is_sure else _as_training(known)
    found = _photos(root, {path: held_out[0][path] for path in kept}, data[0].class_names, which)
    return replace(found, findings=_changed(root, trained, whole))


def _listed(root: Path, part: str = "all") -> tuple[dict[Path, int], tuple[str, ...]]:
    """Return the class of each file, of all or of those that training holds out, and the class names."""
    data = folder(root, ANY, Recipe())
    return _classes(*([data.held_out] if part == "held_out" else [data.train, data.held_out])), data.class_names


def _classes(*parts: Images) -> dict[Path, int]:
    found: dict[Path, int] = {}
    for one in parts:
        assert isinstance(one, Photos)
        found.update(zip(one.paths, one.classes.tolist(), strict=True))
    return dict(sorted(found.items()))


def _changed(root: Path, trained: Sequence[Trained], whole: str) -> tuple[Diagnostic, ...]:
    """Warn of weights that were trained on a folder of other files."""
    sources = [(one.path, one.metadata.data) for one in trained]
    folders = [(path, data.fingerprint) for path, data in sources if data and data.source == "folder"]
    notes = ("training held out a tenth of its own files; any of these may be a training image",)
    helps = ("a folder with `train` and `val` keeps held-out images apart",)
    return tuple(
        Diagnostic("W432", f"the files in `{root}` differ from those that `{path}` was trained on", (), notes, helps)
        for path, own in folders
        if own and own != whole
    )


def _photos(root: Path, found: dict[Path, int], names: tuple[str, ...], which: str) -> PhotoExamples:
    description = f"`{root}`: {plural(len(found), 'image')} of {len(names):,} classes, {which}"
    return PhotoExamples(tuple(found), tuple(found.values()), names, f"`{root}`", description)


def _known(trained: Sequence[Trained], source: str) -> list[int]:
    """Return the different seeds. Raises ArchspecError for weights that do not say theirs."""
    seeds = [one.metadata.seed for one in trained]
    known = {seed for seed in seeds if seed is not None}
    if len(known) < len(set(seeds)):
        message = f"the weights do not say with which seed a part of {source} was held out"
        raise failure("E463", message, helps=("`--all` evaluates on every image",))
    return sorted(known)


def _in_all(parts: list[list[Item]], source: str) -> list[Item]:
    """Return what is in all parts, in the order of the first. Raises ArchspecError for nothing."""
    common = set(parts[0]).intersection(*parts[1:])
    if not common:
        message = f"no image of {source} was held out by all {len(parts)} runs"
        notes = ("their seeds differ, so each held out other images",)
        helps = (
            "train with one `--seed`, or on a folder with `train` and `val`",
            "`--all` evaluates on every image, including training images",
        )
        raise failure("E463", message, notes=notes, helps=helps)
    return [one for one in parts[0] if one in common]


def _held_out(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"held out in training (by seed {seeds[0]})"
    return f"held out in all of the runs (by the seeds {', '.join(map(str, seeds))})"


def _as_training(seeds: Sequence[int]) -> str:
    """Return the same for a folder that the runs may not have had."""
    if len(seeds) == 1:
        return f"a tenth (by seed {seeds[0]}, as in training)"
    return f"in the tenths of all runs (by the seeds {', '.join(map(str, seeds))}, as in training)"
