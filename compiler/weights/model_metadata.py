"""What an exported model says of itself, so that `archspec run` needs nothing else.

In: a network's title, classes and preprocessing, and of several inputs or outputs what each is. Out: a record, and its
text in a model's metadata. Knows no file format, and needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archspec.compiler.data.preprocessing import Preprocessing, read_json
from archspec.diagnostics.findings import shown
from archspec.graph.ir import Graph
from archspec.layers.activation import Softmax

NETWORK, RESULT = "archspec.network", "archspec.result"
CLASSES, PREPROCESSING = "archspec.classes", "archspec.preprocessing"
INPUTS, OUTPUTS = "archspec.inputs", "archspec.outputs"
SCORES, PROBABILITIES, FEATURES, MAP = RESULTS = "scores", "probabilities", "features", "map"  # of class scores


@dataclass(frozen=True)
class ModelMetadata:
    """A model without `class_names` numbers its classes; one without `preprocessing` takes no images.

    `result` is what its first output gives; of several outputs, `outputs` says it for each. `inputs` says what each
    input takes where that is not one image: names and texts.
    """

    network: str
    result: str
    class_names: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()

    def properties(self) -> tuple[tuple[str, str], ...]:
        """Return the record as pairs of texts."""
        pairs = [(NETWORK, self.network), (RESULT, self.result)]
        if self.class_names is not None:
            pairs.append((CLASSES, json.dumps(self.class_names, ensure_ascii=False)))
        if self.preprocessing is not None:
            pairs.append((PREPROCESSING, self.preprocessing.to_json()))
        for key, ports in ((INPUTS, self.inputs), (OUTPUTS, self.outputs)):
            if ports:
                pairs.append((key, json.dumps(dict(ports), ensure_ascii=False)))
        return tuple(pairs)

    def result_of(self, output: str) -> str:
        """Return what an output gives."""
        return dict(self.outputs).get(output, self.result)

    @classmethod
    def from_properties(cls, properties: Mapping[str, str]) -> ModelMetadata:
        """Read what `properties` returned. Raises KeyError for a model without it, ValueError for a wrong value."""
        names, preprocessing = properties.get(CLASSES), properties.get(PREPROCESSING)
        network, result = properties[NETWORK], properties[RESULT]
        if result not in RESULTS:
            raise ValueError(f"`result` is {shown(result)}; expected {', '.join(RESULTS)}")
        try:
            return cls(
                network,
                result,
                None if names is None else _class_names(read_json(names, "classes")),
                None if preprocessing is None else Preprocessing.from_json(preprocessing),
                _texts(properties.get(INPUTS), "inputs"),
                _results(properties.get(OUTPUTS)),
            )
        except RecursionError:
            raise ValueError("they are nested too deeply") from None


def _class_names(names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"`classes` is {'null' if names is None else shown(names)}; expected a list of names")
    return tuple(names)


def _texts(found: str | None, what: str) -> tuple[tuple[str, str], ...]:
    named = {} if found is None else read_json(found, what)
    if not isinstance(named, dict) or not all(isinstance(text, str) for text in named.values()):
        raise ValueError(f"`{what}` is {shown(named)}; expected a text for each name")
    return tuple(named.items())


def _results(found: str | None) -> tuple[tuple[str, str], ...]:
    outputs = _texts(found, "outputs")
    for name, result in outputs:
        if result not in RESULTS:
            raise ValueError(f"`outputs` says {shown(result)} of {shown(name)}; expected {', '.join(RESULTS)}")
    return outputs


def result_kind(graph: Graph, output: int, class_names: Sequence[str] | None = None) -> str:
    """Return what the node `output` gives: scores, probabilities, or features on the way to them; a map of scores if
    the network's output is a map and has classes."""
    node = graph.nodes[output]
    if class_names is not None and output == graph.output and node.volume.is_map:
        return MAP
    if isinstance(node.layer, Softmax):
        return PROBABILITIES
    are_scores = output in {*(one.node for one in graph.outputs), *(one.node for one in graph.named_losses)}
    return SCORES if are_scores and len(node.volume) == 1 else FEATURES
