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
from archspec.compiler.inference.runtime import Opened, open_session
from archspec.compiler.weights.model_metadata import FEATURES, SCORES, ModelMetadata
from archspec.diagnostics.errors import Finding, failure
from archspec.diagnostics.findings import Diagnostic

BATCH = 16

Floats = NDArray[Any]


@dataclass(frozen=True)
class Guess:
    """A class, with its probability."""

    number: int
    name: str
    probability: float


@dataclass(frozen=True)
class Classifier:
    """An opened model that takes images."""

    opened: Opened
    metadata: ModelMetadata
    preprocessing: Preprocessing

    def __call__(self, images: list[Floats]) -> Floats:
        """Return the outputs, one row per image."""
        (entering,) = self.opened.session.get_inputs()
        (output,) = self.opened.session.run(None, {entering.name: np.stack(images)})
        return np.asarray(output)

    def top(self, output: Floats, count: int) -> list[Guess]:
        """Return the most likely classes of one image; of equal ones the lower number comes first."""
        shares = softmax(output) if self.metadata.result == SCORES else output
        order = np.argsort(-shares, kind="stable")[:count]
        return [Guess(int(number), self._name(int(number)), float(shares[number])) for number in order]

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


def open_classifier(path: Path, device: str, features: bool) -> Classifier:
    """Open a model for images. Raises ArchspecError if it is not one, or cannot give what is asked."""
    if not path.is_file():
        helps = ("`archspec export SPEC -o net.onnx` writes one",)
        raise failure("E430", f"no such model: `{path}`", helps=helps)
    opened = open_session(path, device)
    try:
        metadata = ModelMetadata.from_properties(opened.session.get_modelmeta().custom_metadata_map)
    except (KeyError, ValueError, TypeError):
        message = f"`{path}` does not describe its preprocessing: `archspec export` did not write it"
        helps = ("`archspec export SPEC|WEIGHTS -o net.onnx` writes one that does",)
        raise failure("E431", message, helps=helps) from None
    if metadata.preprocessing is None:
        (entering,) = opened.session.get_inputs()
        message = f"`{path}` does not take images: its input is {entering.shape}"
        raise failure("E431", message, notes=("images have 1 or 3 channels",))
    if metadata.result == FEATURES and not features:
        (output,) = opened.session.get_outputs()
        message = f"`{path}` outputs `{output.name}` {output.shape[1:]}, which are not class scores"
        raise failure("E435", message, helps=("`--features` prints them",))
    return Classifier(opened, metadata, metadata.preprocessing)


def classify(classifier: Classifier, paths: Sequence[Path]) -> Iterator[Outcome]:
    """Yield the outcome of each image, in order."""
    for begin in range(0, len(paths), BATCH):
        loaded = [_load(path, classifier.preprocessing) for path in paths[begin : begin + BATCH]]
        images = [image for image in loaded if not isinstance(image, Diagnostic)]
        outputs = iter(classifier(images) if images else ())
        for path, image in zip(paths[begin : begin + BATCH], loaded, strict=True):
            if isinstance(image, Diagnostic):
                yield Outcome(path, np.zeros(0), image)
            else:
                yield Outcome(path, next(outputs))


def _load(path: Path, preprocessing: Preprocessing) -> Floats | Diagnostic:
    try:
        return load(path, preprocessing)
    except Finding as finding:
        return Diagnostic(finding.code, finding.message, notes=finding.notes, helps=finding.helps)


def softmax(scores: Floats) -> Floats:
    """Return the softmax, in float64."""
    grown = np.exp(scores.astype(np.float64) - scores.max())
    return np.asarray(grown / grown.sum())
