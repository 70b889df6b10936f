"""From an image to what a network takes, as data: size, colours, mean and standard deviation.

In: the sizes and statistics that a network was trained with. Out: a record, and its JSON in the metadata of weights and
of models. Reads no image: image.py does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COLOURS = {1: "gray", 3: "RGB"}


@dataclass(frozen=True)
class Preprocessing:
    """An image is resized until it covers `height` x `width` pixels, cut to it in the middle, scaled to 0 .. 1, and
    each colour becomes (x - mean)/std. `colours` is "RGB" or "gray".
    """

    height: int
    width: int
    colours: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def to_json(self) -> str:
        """The record as JSON, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """The record again. Raises ValueError or TypeError for JSON that is none."""
        fields = json.loads(text)
        return cls(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})
