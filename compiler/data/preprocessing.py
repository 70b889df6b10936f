"""From a decoded image to a network's input: resized, cropped to the centre, normalised.

In: an image and a `Preprocessing`. Out: arrays [C, H, W] in float32. No file is opened here, and no torch is needed.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from archspec.diagnostics.findings import plural, shown
from archspec.graph.volume import Volume
from archspec.recipe import LEAST_EVAL_CROP

COLOURS = {1: "gray", 3: "RGB"}  # by channels
MODES = {1: "L", 3: "RGB"}  # the same as Pillow calls them
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
MINUS_ONE_TO_ONE = ((0.5,), (0.5,))
LEAST = 1e-30  # a float32 can represent it, and what is divided by it
MOST_PIXELS = 2**13  # of a side of an input


@dataclass(frozen=True)
class Preprocessing:
    """An image is resized to cover `height` x `width` pixels divided by `crop`, cropped to the centre, scaled to 0 .. 1
    and normalised: (x - mean)/std for each colour. `colours` is "RGB" or "gray". `crop`, at most 1, is the share of the
    short side that the network sees.
    """

    height: int
    width: int
    colours: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: float = 1.0

    @property
    def channels(self) -> int:
        """How many channels the input has."""
        return len(self.mean)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, the order in which Pillow takes them."""
        return self.width, self.height

    @property
    def decoded_size(self) -> tuple[int, int]:
        """Width and height of the resized image before it is cropped."""
        return resized(self.size, self.crop)

    @property
    def mode(self) -> str:
        """Pillow's name of the colours."""
        return MODES[self.channels]

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """Read what `to_json` wrote. Raises ValueError, which says what is wrong, for any other text."""
        found = read_json(text, "preprocessing")
        names = [field.name for field in fields(cls)]
        if not isinstance(found, dict) or sorted({"crop": 1.0, **found}) != sorted(names):  # early files have no `crop`
            raise ValueError(f"`preprocessing` is {shown(found)}; expected {', '.join(names)}")
        for side in ("height", "width"):
            if type(found[side]) is not int or not 0 < found[side] <= MOST_PIXELS:
                expected = f"expected a number of pixels from 1 to {MOST_PIXELS:,}"
                raise ValueError(f"`{side}` is {shown(found[side])}; {expected}")
        colours = found["colours"]
        channels = next((one for one, name in COLOURS.items() if name == colours), None)
        if channels is None:
            raise ValueError(f"`colours` is {shown(colours)}; expected {' or '.join(COLOURS.values())}")
        mean, std = (each_channel(found[name], name, channels) for name in ("mean", "std"))
        crop = need_crop(found.get("crop", 1.0), "crop")
        return cls(found["height"], found["width"], colours, mean, need_deviations(std), crop)


def read_json(text: str, name: str) -> Any:
    """Return the value of a JSON text from a file. Raises ValueError, which says what is wrong with `name`."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise ValueError(f"`{name}` is not JSON") from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise ValueError(f"`{name}` has an integer of too many digits") from None


def each_channel(values: object, name: str, channels: int) -> tuple[float, ...]:
    """Return numbers from a file, one for each channel. Raises ValueError for anything else."""
    if not isinstance(values, list) or len(values) != channels or not all(map(_is_number, values)):
        raise ValueError(f"`{name}` is {shown(values)}; expected one number for each of {plural(channels, 'channel')}")
    if not all(map(is_finite, values)):
        most = f"{1 / LEAST:g}"
        raise ValueError(f"`{name}` is {shown(values)}; expected finite numbers between -{most} and {most}")
    return tuple(values)


def need_deviations(std: tuple[float, ...]) -> tuple[float, ...]:
    """Return standard deviations. Raises ValueError unless all are at least `LEAST`."""
    if min(std) < LEAST:
        raise ValueError(f"`std` is {shown(list(std))}; a standard deviation is above 0, at least {LEAST:g}")
    return std


def need_crop(value: object, name: str) -> float:
    """Return the share of an image that a centre crop keeps. Raises ValueError if it is out of range."""
    if not _is_number(value) or not LEAST_EVAL_CROP <= value <= 1:
        raise ValueError(f"`{name}` is {shown(value)}; expected a number from {LEAST_EVAL_CROP:g} to 1")
    return value


def is_finite(value: object) -> TypeGuard[float]:
    """Whether a value from a file is a number that a float32 can represent."""
    return _is_number(value) and abs(value) < 1 / LEAST


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


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
    return normalised(fitted(image.convert(preprocessing.mode), preprocessing.size, preprocessing.crop), preprocessing)


def fitted(
    image: Image.Image,
    size: tuple[int, int],
    crop: float = 1.0,
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """Resize an image until it covers `size`, width and height, divided by `crop`, and crop it to the centre."""
    return ImageOps.fit(image, size, resampling, bleed=(1 - crop) / 2)


def resized(size: tuple[int, int], crop: float) -> tuple[int, int]:
    """Return the size of an image of which `size` is the share `crop` of each side."""
    return math.ceil(size[0] / crop), math.ceil(size[1] / crop)


def normalised(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Return the pixels as numbers: 0 .. 1, then (x - mean)/std; [C, H, W]."""
    pixels = np.asarray(image, dtype=np.float32).reshape(image.height, image.width, -1) / np.float32(255)
    mean, std = (np.array(values, dtype=np.float32) for values in (preprocessing.mean, preprocessing.std))
    with np.errstate(over="ignore"):  # a file may give any numbers
        scaled: NDArray[np.float32] = (pixels - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
