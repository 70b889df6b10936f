"""The images that weights are evaluated on: those that none of them were trained on, unless all are asked for.

In: the weights, and which part of the images is asked for. Out: `Examples`: images with their classes, and a sentence
that says which they are; here of the bundled digits, in `folder_examples` of a folder. Images are decoded when needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from PIL import Image
from torch import Tensor

from archspec.compiler.data.decode import decode
from archspec.compiler.data.digits import WHAT, scaled, split
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.weights.trained import Trained
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import Diagnostic
from archspec.graph.volume import Volume

DIGITS = frozenset("0123456789")  # the class names of the bundled digits
Item = TypeVar("Item")
Split = Literal["train", "validation", "test", "all"]


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


def digit_examples(trained: Sequence[Trained], split_name: Split | None) -> DigitExamples:
    """Return the bundled digits that all of the runs held out. Raises ArchspecError where there are none."""
    if split_name == "test":
        raise failure("E462", f"{WHAT} have no part `test`", helps=("`--split validation` is the part held out",))
    _, classes, names = scaled(Volume((8, 8, 1)))
    count = f"{len(classes):,}"
    if split_name == "all":
        numbers = list(range(len(classes)))
        description = f"{WHAT}: all {count}, including training images"
    else:
        known = seeds_of(trained, WHAT)
        place = 0 if split_name == "train" else 1
        numbers = in_all([split(classes, seed)[place].tolist() for seed in known], WHAT)
        use = "used" if split_name == "train" else "held out"
        description = f"{WHAT}: {len(numbers):,} of {count}, {use} in training ({by_seeds(known)})"
    return DigitExamples(tuple(numbers), classes[numbers].tolist(), names, WHAT, description)


def seeds_of(trained: Sequence[Trained], source: str) -> list[int]:
    """Return the different seeds. Raises ArchspecError for weights that do not say theirs."""
    seeds = [one.metadata.seed for one in trained]
    known = {seed for seed in seeds if seed is not None}
    if len(known) < len(set(seeds)):
        message = f"the weights do not say with which seed a part of {source} was held out"
        raise failure("E463", message, helps=("`--all` evaluates on every image",))
    return sorted(known)


def in_all(parts: list[list[Item]], source: str) -> list[Item]:
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


def by_seeds(seeds: Sequence[int]) -> str:
    """Return `by seed 3`; for several, that it is what the parts have in common."""
    if len(seeds) == 1:
        return f"by seed {seeds[0]}"
    return f"in all of the runs, by the seeds {', '.join(map(str, seeds))}"
