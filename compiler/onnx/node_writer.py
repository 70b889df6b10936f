"""What an emitter works with: it reads one layer, and writes ONNX nodes and constants.

In: a node of the graph, the names of the values that enter it, the weights. Out: `EmittedNode` records and constants.
Values of the spec keep its names; intermediate ones are called `name/operator`, which no name of a spec can be, and the
last node outputs the layer's own value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archspec.compiler.onnx.names.parameters import Array, Parameters
from archspec.graph.ir import Node
from archspec.graph.volume import Volume
from archspec.layers.base import Layer, OnnxNode, Tensor


@dataclass(frozen=True)
class EmittedNode:
    """One ONNX node."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class EmittedLayer:
    """What was emitted for nodes of the spec: one, or a layer with the BN folded into it."""

    nodes: tuple[Node, ...]
    value: str
    operations: tuple[EmittedNode, ...]
    constants: dict[str, Array]


class NodeWriter:
    """Writes the nodes of one layer. `inputs` are value names, `x` the first of them; `readers` read the result."""

    def __init__(
        self,
        node: Node,
        inputs: tuple[str, ...],
        volumes: tuple[Volume, ...],
        weights: Parameters,
        readers: tuple[Layer, ...] = (),
    ) -> None:
        self.node = node
        self.layer: Any = node.layer
        self.inputs = inputs
        self.volumes = volumes
        self.readers = readers
        self.operations: list[EmittedNode] = []
        self.constants: dict[str, Array] = {}
        self.weights = weights
        self._counts: dict[str, int] = {}

    @property
    def x(self) -> str:
        """The value that enters."""
        return self.inputs[0]

    @property
    def volume(self) -> Volume:
        """The volume that enters."""
        return self.volumes[0]

    def op(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Write a node with one output and return that value's name."""
        return self.ops(operator, *inputs, outputs=1, **attributes)[0]

    def ops(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> tuple[str, ...]:
        """Write a node with several outputs and return the values' names."""
        word = operator.lower()
        self._counts[word] = count = self._counts.get(word, 0) + 1
        name = f"{self.node.name}/{word}{count if count > 1 else ''}"
        names = (name,) if outputs == 1 else tuple(f"{name}.{index}" for index in range(outputs))
        self.operations.append(EmittedNode(operator, name, inputs, names, tuple(attributes.items())))
        return names

    def only(self, node: OnnxNode) -> str:
        """Write the node that is the whole layer, and return its value's name."""
        weights = [self.weight(name) for name in node.weights]
        constants = [self.constant(name, _stored(value)) for name, value in node.constants.items()]
        return self.op(node.operator, *self.inputs, *weights, *constants, **node.attributes)

    def array(self, tensor: str) -> Array:
        """The values of a weight, by the tensor's name in the layer."""
        shape = next((one.shape for one in self.layer.tensors(self.volumes) if one.name == tensor), None)
        return self.weights.array(self.node, Tensor(tensor, shape or (self.volume.channels,)))

    def is_shared(self, tensor: str) -> bool:
        """Whether other layers use a weight too: it is then stored as it is, whatever this one needs."""
        return self.weights.is_shared(self.node, tensor)

    def parameter(self, tensor: str) -> str:
        """The full name of a weight: with its owner's name."""
        return self.weights.name(self.node, tensor)

    def weight(self, tensor: str) -> str:
        """Store a weight as it is, under the spec's name."""
        return self.stored(tensor, self.array(tensor))

    def stored(self, tensor: str, value: Array, form: str = "") -> str:
        """Store a weight that no other layer uses in another form: its name, and `form` if it needs one."""
        return self._keep(f"{self.parameter(tensor)}{form}", value)

    def transposed(self, tensor: str) -> str:
        """A matrix as a right operand of MatMul, which cannot transpose."""
        if not self.is_shared(tensor):
            return self.stored(tensor, self.array(tensor).T, ".transposed")
        return self._once(f"{self.parameter(tensor)}.transposed", "Transpose", self.weight(tensor), perm=[1, 0])

    def wide(self, tensor: str) -> str:
        """A weight with one value per channel, in a shape that broadcasts over the layer's input."""
        if not self.volume.is_map:
            return self.weight(tensor)
        if not self.is_shared(tensor):
            return self.stored(tensor, self.array(tensor)[:, None, None])
        axes = self._keep(f"{self.parameter(tensor)}/axes", np.array([1, 2]))
        return self._once(f"{self.parameter(tensor)}.wide", "Unsqueeze", self.weight(tensor), axes)

    def _once(self, name: str, operator: str, *inputs: str, **attributes: Any) -> str:
        """Write a node for all layers that use a weight, and return its value's name."""
        if self.weights.once(name):
            self.operations.append(EmittedNode(operator, name, inputs, (name,), tuple(attributes.items())))
        return name

    def constant(self, name: str, value: Array, made_of: tuple[str, ...] = ()) -> str:
        """Store an array that is not a weight; one `made_of` weights is that of their owner."""
        full = self.weights.computed(self.node, name, value, made_of) if made_of else f"{self.node.name}/{name}"
        return self._keep(full, value)

    def common(self, name: str, value: Array) -> str:
        """Store an array that is the same for every layer."""
        return self._keep(f"/{name}", value)

    def _keep(self, name: str, value: Array) -> str:
        if name in self.constants and not np.array_equal(self.constants[name], value):
            raise ValueError(f"{name} has two values")
        self.constants[name] = value
        return name

    def numbers(self, name: str, *values: float) -> str:
        """Store a vector of float32."""
        return self.constant(name, np.array(values, dtype=np.float32))

    def scalar(self, name: str, value: float) -> str:
        """Store a float32."""
        return self.constant(name, np.array(value, dtype=np.float32))

    def integers(self, name: str, *values: int) -> str:
        """Store a vector of int64: a shape, axes, pads."""
        return self.constant(name, np.array(values, dtype=np.int64))

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; a 0 keeps that dimension, so the batch stays dynamic."""
        return self.op("Reshape", x, self.integers("shape_" + "x".join(map(str, shape)), *shape))

    def transpose(self, x: str, *order: int) -> str:
        """Permute the dimensions."""
        return self.op("Transpose", x, perm=list(order))

    def finished(self, result: str, value: str) -> tuple[EmittedNode, ...]:
        """The nodes; the last one gets the layer's name and outputs its result as `value`."""
        if not self.operations:
            return ()
        *others, last = self.operations
        assert last.outputs == (result,), f"{self.node.name}: the last operation is not its result"
        return (*others, replace(last, name=self.node.name, outputs=(value,)))


def _stored(value: float | int | tuple[int, ...]) -> Array:
    return np.array(value, dtype=np.float32 if isinstance(value, float) else np.int64)
