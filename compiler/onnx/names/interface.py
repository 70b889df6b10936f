"""What enters and leaves a model, and what its values are called.

In: a graph. Out: the inputs and outputs in order, with their names and volumes; what the model's metadata say of them;
and a name for each node's value. A value has its node's name; what leaves the network has the output's.
"""

from __future__ import annotations

from dataclasses import dataclass

from archspec.compiler.data.preprocessing import Preprocessing, default_preprocessing
from archspec.compiler.weights.model_metadata import ModelMetadata, result_kind
from archspec.graph.extent import named, part
from archspec.graph.ir import Graph
from archspec.graph.token_ids import id_count, is_tokens
from archspec.graph.volume import Volume

BATCH = "batch"
FLOATS, IDS = "float32", "int64"


@dataclass(frozen=True)
class Port:
    """An input or an output: numbers, or token ids below `ids`."""

    name: str
    volume: Volume
    ids: int | None = None

    @property
    def kind(self) -> str:
        """The type of its values."""
        return FLOATS if self.ids is None else IDS

    @property
    def shape(self) -> list[str | int]:
        """Its shape in ONNX, the batch by name."""
        return [BATCH, *self.volume.laid_out]

    def to_dict(self) -> dict[str, str | list[str | int]]:
        """The input or output as `--json` gives it."""
        return {"name": self.name, "type": self.kind, "shape": self.shape}

    def __str__(self) -> str:
        return f"{self.volume}{'' if self.ids is None else f' token ids below {self.ids:,}'}"


def inputs_of(graph: Graph) -> tuple[Port, ...]:
    """The inputs of a model, in order."""
    return tuple(
        Port(node.name, node.volume, id_count(graph, node) if is_tokens(node) else None) for node in graph.sources
    )


def outputs_of(graph: Graph) -> tuple[Port, ...]:
    """The outputs of a model, in order."""
    return tuple(Port(output.name, graph.nodes[output.node].volume) for output in graph.outputs)


def value_names(graph: Graph) -> tuple[str, ...]:
    """What the value of each node is called: the first output that it is, or else its node's own name.

    The own name of a node may be that of an output that is another node's.
    """
    names = [node.name for node in graph.nodes]
    taken = {output.name: output.node for output in graph.outputs}
    for index, name in enumerate(names):
        if taken.get(name, index) != index:
            names[index] = f"{name}/result"
    for output in reversed(graph.outputs):
        if graph.nodes[output.node].inputs:  # an input keeps its name
            names[output.node] = output.name
    return tuple(names)


def about(
    graph: Graph,
    title: str,
    output: str | None,
    class_names: tuple[str, ...] | None,
    preprocessing: Preprocessing | None,
) -> ModelMetadata:
    """What the model of a network says of itself, or that of the part that leads to `output`."""
    inputs = inputs_of(part(graph, output))
    kinds = tuple((one.name, result_kind(graph, one.node, class_names)) for one in named(graph, output))
    takes_one = len(inputs) == 1 and inputs[0].ids is None
    return ModelMetadata(
        title,
        kinds[0][1],
        class_names,
        preprocessing if takes_one else None,
        () if takes_one else tuple((port.name, str(port)) for port in inputs),
        kinds if len(kinds) > 1 else (),
    )


def image_preprocessing(graph: Graph) -> Preprocessing | None:
    """The preprocessing of an untrained network that takes one image, otherwise None."""
    (first, *more) = inputs_of(graph)
    return None if more or first.ids is not None else default_preprocessing(first.volume)
