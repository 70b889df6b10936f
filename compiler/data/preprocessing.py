"""From a decoded image to a network's input: resized, cropped to the centre, normalised.

In: an image and a `Preprocessing`. Out: arrays [C, H, W] in float32. No file is opened here, and no torch is needed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from archspec.graph.volume import Volume

COLOURS = {1: "gray", 3: "RGB"}  # by channels
MODES = {1: "L", 3: "RGB"}  # the same as Pillow calls them
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
MINUS_ONE_TO_ONE = ((0.5,), (0.5,))


@dataclass(frozen=True)
class Preprocessing:
    """An image is resized to cover `height` x `width` pixels, cropped to the centre, scaled to 0 .. 1 and normalised:
    (x - mean)/std for each colour. `colours` is "RGB" or "gray".
    """

    height: int
    width: int
    colours: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def channels(self) -> int:
        """How many channels the input has."""
        return len(self.mean)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, the order in which Pillow takes them."""
        return self.width, self.height

    @property
    def mode(self) -> str:
        """Pillow's name of the colours."""
        return MODES[self.channels]

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """Read what `to_json` wrote. Raises ValueError, KeyError or TypeError for any other text."""
        fields = json.loads(text)
        return cls(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


def usual_statistics(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and standard deviation used for images whose own are unknown: ImageNet's for three colours."""
    return MINUS_ONE_TO_ONE if channels == 1 else IMAGENET


def default_preprocessing(volume: Volume) -> Preprocessing | None:
    """Return the preprocessing of an untrained network, or None where its input is not an image."""
    if not volume.is_map or volume.channels not in COLOURS:
        return None
    height, width, channels = volume
    return Preprocessing(height, width, COLOURS[channels], *usual_statistics(channels))


def prepare(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Return a decoded image as the network takes it, [C, H, W]."""
    return normalised(fitted(image.convert(preprocessing.mode), preprocessing.size), preprocessing)


def fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize an image until it covers `size`, width and height, and crop it to the centre."""
    return ImageOps.fit(image, size, Image.Resampling.BICUBIC)


def normalised(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Return the pixels as numbers: 0 .. 1, then (x - mean)/std; [C, H, W]."""
    pixels = np.asarray(image, dtype=np.float32).reshape(image.height, image.width, -1) / np.float32(255)
    mean, std = (np.array(values, dtype=np.float32) for values in (preprocessing.mean, preprocessing.std))
    scaled: NDArray[np.float32] = (pixels - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
