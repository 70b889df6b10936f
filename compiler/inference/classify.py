"""A model run on images: class probabilities or features, image by image.

In: a model file, a device, images. Out: for each image its result, or why it has none. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.compiler.data.decode import load
from archspec.compiler.data.preprocessing import Preprocessing
from archspec.compiler.inference.image_model import BATCH, EXPORT, metadata_of, need_classes, need_images, need_output
from archspec.compiler.inference.model_process import ModelProcess, OpenedModel
from archspec.compiler.weights.model_metadata import MAP, SCORES, ModelMetadata
from archspec.diagnostics.errors import Finding, failure
from archspec.diagnostics.findings import Diagnostic, plural

Floats = NDArray[Any]


@dataclass(frozen=True)
class Guess:
    """A class, with its probability."""

    number: int
    name: str
    probability: float


@dataclass(frozen=True)
class ClassShare:
    """A class, and the pixels of a map that were classified as it."""

    number: int
    name: str
    pixels: int
    share: float


@dataclass(frozen=True)
class Classifier:
    """An opened model that takes images."""

    path: Path
    process: ModelProcess
    opened: OpenedModel
    metadata: ModelMetadata
    preprocessing: Preprocessing
    batch: int = BATCH  # images at once
    features: bool = False  # are wanted, not classes
    output: str = ""

    def __call__(self, images: list[Floats]) -> Floats:
        """Return the outputs, one row per image. Raises ArchspecError where there are not as many."""
        (entering,) = self.opened.inputs
        output = self.process.run(self.path, entering.name, np.stack(images), self.output)
        if not output.ndim or len(output) != len(images) or not output.size:
            message = f"`{self.path}` outputs {list(output.shape)} for {plural(len(images), 'image')}"
            raise failure("E435", message, helps=(EXPORT,))
        if not self.features:
            need_classes(self.path, output.shape, self.metadata)
        return output

    def top(self, output: Floats, count: int) -> list[Guess]:
        """Return the most likely classes of one image; of equal ones the lower number comes first."""
        shares = softmax(output) if self.metadata.result_of(self.output) == SCORES else output
        order = np.argsort(-shares, kind="stable")[:count]
        return [Guess(int(number), self._name(int(number)), float(shares[number])) for number in order]

    @property
    def is_of_pixels(self) -> bool:
        """Whether its output is a map of class scores."""
        return self.metadata.result == MAP

    def shares(self, output: Floats) -> list[ClassShare]:
        """Return the classes of the pixels of one image [C, H, W], the most frequent first."""
        numbers, counts = np.unique(output.argmax(0), return_counts=True)
        found = sorted(zip(numbers.tolist(), counts.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
        whole = output.shape[1] * output.shape[2]
        return [ClassShare(number, self._name(number), count, count / whole) for number, count in found]

    def _name(self, number: int) -> str:
        """Return the name of a class."""
        names = self.metadata.class_names
        return names[number] if names and number < len(names) else f"class {number}"


@dataclass(frozen=True)
class Outcome:
    """The output for an image; empty if the image is wrong."""

    path: Path
    output: Floats
    wrong: Diagnostic | None = None


def open_classifier(
    process: ModelProcess, path: Path, device: str, features: bool, output: str | None = None
) -> Classifier:
    """Open a model for images, for its first output or a named one.

    Raises ArchspecError if it is not one, or cannot give what is asked.
    """
    opened = process.open(path, device)
    metadata = metadata_of(path, opened)
    preprocessing, batch = need_images(path, opened, metadata)
    name = need_output(path, opened, metadata, features, output)
    return Classifier(path, process, opened, metadata, preprocessing, batch, features, name)


def classify(classifier: Classifier, paths: Sequence[Path]) -> Iterator[Outcome]:
    """Yield the outcome of each image, in order. Raises ArchspecError where the model fails."""
    for begin in range(0, len(paths), classifier.batch):
        own = paths[begin : begin + classifier.batch]
        loaded = [_load(path, classifier.preprocessing) for path in own]
        images = [image for image in loaded if not isinstance(image, Diagnostic)]
        outputs = iter(classifier(images) if images else ())
        for path, image in zip(own, loaded, strict=True):
            if isinstance(image, Diagnostic):
                yield Outcome(path, np.zeros(0), image)
            else:
                yield _outcome(classifier, path, next(outputs))


def _outcome(classifier: Classifier, path: Path, output: Floats) -> Outcome:
    if np.isfinite(output).all():
        return Outcome(path, output)
    message = f"`{classifier.path}` outputs NaN or infinity for `{path}`"
    return Outcome(path, output, Diagnostic("E464", message, helps=("its weights are damaged, or training diverged",)))


def _load(path: Path, preprocessing: Preprocessing) -> Floats | Diagnostic:
    try:
        return load(path, preprocessing)
    except Finding as finding:
        return Diagnostic(finding.code, finding.message, notes=finding.notes, helps=finding.helps)


def softmax(scores: Floats) -> Floats:
    """Return the softmax, in float64."""
    grown = np.exp(scores.astype(np.float64) - scores.max())
    return np.asarray(grown / grown.sum())
