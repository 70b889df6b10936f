"""What a model or a weights file says of itself, so that no later command needs it again.

In: what a network was trained with. Out: records, and their text in a file's metadata. Knows no file format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from archspec.graph.ir import Graph
from archspec.graph.volume import Volume
from archspec.layers.activation import Softmax

NETWORK, RESULT = "archspec.network", "archspec.result"
CLASSES, PREPROCESSING = "archspec.classes", "archspec.preprocessing"
COLOURS = {1: "gray", 3: "RGB"}
SCORES, PROBABILITIES, FEATURES = "scores", "probabilities", "features"


@dataclass(frozen=True)
class Preprocessing:
    """From an image to an input: resized until it covers `height` x `width` pixels, cut to them in the middle, scaled
    to 0 .. 1, and each colour (x - mean)/std. `colours` is "RGB" or "gray".
    """

    height: int
    width: int
    colours: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def to_json(self) -> str:
        """The record as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """The record again. Raises ValueError, KeyError or TypeError for another text."""
        fields = json.loads(text)
        return cls(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


@dataclass(frozen=True)
class About:
    """A model's own words. Without `class_names` classes go by number; without `preprocessing` it takes no images."""

    network: str
    result: str
    class_names: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None

    def properties(self) -> tuple[tuple[str, str], ...]:
        """As pairs of texts."""
        pairs = [(NETWORK, self.network), (RESULT, self.result)]
        if self.class_names is not None:
            pairs.append((CLASSES, json.dumps(self.class_names, ensure_ascii=False)))
        if self.preprocessing is not None:
            pairs.append((PREPROCESSING, self.preprocessing.to_json()))
        return tuple(pairs)

    @classmethod
    def from_properties(cls, properties: Mapping[str, str]) -> About:
        """From the pairs. Raises KeyError, ValueError or TypeError for a model that says nothing."""
        names, preprocessing = properties.get(CLASSES), properties.get(PREPROCESSING)
        return cls(
            properties[NETWORK],
            properties[RESULT],
            None if names is None else tuple(json.loads(names)),
            None if preprocessing is None else Preprocessing.from_json(preprocessing),
        )


def untrained(volume: Volume) -> Preprocessing | None:
    """The preprocessing of a network that has seen no data: ImageNet's statistics, or 0 .. 1 as -1 .. 1 for gray."""
    if not volume.is_map or volume.channels not in COLOURS:
        return None
    height, width, channels = volume
    mean, std = ((0.5,), (0.5,)) if channels == 1 else ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return Preprocessing(height, width, COLOURS[channels], mean, std)


def result(graph: Graph, output: int) -> str:
    """What the node `output` of a network is: its scores or probabilities, or features on the way to them."""
    node = graph.nodes[output]
    if isinstance(node.layer, Softmax):
        return PROBABILITIES
    return SCORES if output == graph.output and len(node.volume) == 1 else FEATURES
