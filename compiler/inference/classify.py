"""A model run on images: probabilities of classes or features, image by image.

In: a model's file, a device, images. Out: for each image its result, or why there is none. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.compiler.data.decode import load
from archspec.compiler.inference.runtime import Opened, open_session
from archspec.compiler.weights.metadata import FEATURES, SCORES, About, Preprocessing
from archspec.diagnostics.errors import Finding, failure
from archspec.diagnostics.findings import Diagnostic

BATCH = 16

Floats = NDArray[Any]


@dataclass(frozen=True)
class Guess:
    """A class that an image may show."""

    number: int
    name: str
    probability: float


@dataclass(frozen=True)
class Classifier:
    """An opened model that takes images."""

    opened: Opened
    about: About
    preprocessing: Preprocessing

    def __call__(self, images: list[Floats]) -> Floats:
        """The outputs, one row an image."""
        (entering,) = self.opened.session.get_inputs()
        (output,) = self.opened.session.run(None, {entering.name: np.stack(images)})
        return np.asarray(output)

    def top(self, output: Floats, count: int) -> list[Guess]:
        """The likeliest classes of one image, the lower number first where two are equal."""
        shares = softmax(output) if self.about.result == SCORES else output
        order = np.argsort(-shares, kind="stable")[:count]
        return [Guess(int(number), self._name(int(number)), float(shares[number])) for number in order]

    def _name(self, number: int) -> str:
        """What a class is called."""
        names = self.about.class_names
        return names[number] if names and number < len(names) else f"class {number}"


@dataclass(frozen=True)
class Outcome:
    """An image's output, which is empty where something is wrong with the image."""

    path: Path
    output: Floats
    wrong: Diagnostic | None = None


def open_classifier(path: Path, device: str, features: bool) -> Classifier:
    """Open a model for images. Raises ArchspecError where it is none, or cannot give what is asked."""
    if not path.is_file():
        helps = ("`archspec export SPEC -o net.onnx` writes one",)
        raise failure("E430", f"there is no model `{path}`", helps=helps)
    opened = open_session(path, device)
    try:
        about = About.from_properties(opened.session.get_modelmeta().custom_metadata_map)
    except (KeyError, ValueError, TypeError):
        message = f"`{path}` does not say how it takes images: `archspec export` did not write it"
        helps = ("`archspec export SPEC|WEIGHTS -o net.onnx` writes one that does",)
        raise failure("E431", message, helps=helps) from None
    if about.preprocessing is None:
        (entering,) = opened.session.get_inputs()
        message = f"`{path}` takes no images: its input is {entering.shape}"
        raise failure("E431", message, notes=("images have 1 or 3 colours",))
    if about.result == FEATURES and not features:
        (output,) = opened.session.get_outputs()
        message = f"`{path}` ends in `{output.name}` {output.shape[1:]}, which are no scores of classes"
        raise failure("E435", message, helps=("`--features` prints them",))
    return Classifier(opened, about, about.preprocessing)


def classify(classifier: Classifier, paths: Sequence[Path]) -> Iterator[Outcome]:
    """The outcome of each image, in order."""
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
    """exp(x) over its sum, in float64."""
    grown = np.exp(scores.astype(np.float64) - scores.max())
    return np.asarray(grown / grown.sum())
