"""The weights of a model: each parameter once, under the name of the layer that owns it.

In: a graph, and arrays by the spec's names. Out: the array and the name of each tensor that a layer uses, and which of
them several layers use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.diagnostics.errors import failure
from archspec.graph.ir import Graph, Node
from archspec.layers.base import Tensor

Array = NDArray[Any]
Weights = Mapping[str, Array]

STATISTICS = ("running_mean", "running_var")


class Parameters:
    """The weights of one model, and what was written once for all users of a parameter."""

    def __init__(self, graph: Graph, weights: Weights) -> None:
        self.graph = graph
        self.weights = weights
        self._written: set[str] = set()
        self._computed: dict[str, Array] = {}

    def name(self, node: Node, tensor: str) -> str:
        """The full name of a tensor that a node uses. Running statistics are those of whose parameters it shares."""
        if node.weights is not None and tensor in STATISTICS:
            return f"{node.weights.owner}.{tensor}"
        return self.graph.parameter(node, tensor)

    def names(self, node: Node) -> tuple[str, ...]:
        """The full names of all tensors that a node uses, running statistics included."""
        tensors = [tensor.name for tensor in node.layer.tensors(self.graph.inputs(node))]
        statistics = STATISTICS if node.layer.has_statistics else ()
        return tuple(self.name(node, tensor) for tensor in (*tensors, *statistics))

    @cached_property
    def users(self) -> Mapping[str, tuple[int, ...]]:
        """The nodes that use each tensor; nothing for a network without shared ones."""
        found: dict[str, tuple[int, ...]] = defaultdict(tuple)
        if any(node.weights is not None for node in self.graph.nodes):
            for node in self.graph.nodes:
                for name in self.names(node):
                    found[name] += (node.index,)
        return found

    def is_shared(self, node: Node, tensor: str) -> bool:
        """Whether several nodes use a tensor of this one."""
        return len(self.users.get(self.name(node, tensor), ())) > 1

    def computed(self, node: Node, name: str, value: Array, tensors: Collection[str]) -> str:
        """The full name of what is computed from these tensors: their owner's, unless that is of another value."""
        owners = {self.name(node, tensor).removesuffix(f".{tensor}") for tensor in tensors}
        full = f"{owners.pop() if len(owners) == 1 else node.name}/{name}"
        known = self._computed.setdefault(full, value)
        return full if known is value or np.array_equal(known, value) else f"{node.name}/{name}"

    def array(self, node: Node, tensor: Tensor) -> Array:
        """A tensor of a node as float32. Raises ArchspecError if it is missing or has another shape."""
        key = self.name(node, tensor.name)
        found = self.weights.get(key)
        if found is None:
            raise failure("E421", f"the weights have no `{key}`")
        if tuple(found.shape) != tuple(tensor.shape):
            sizes = "x".join(map(str, found.shape)), "x".join(map(str, tensor.shape))
            message = f"`{key}` is {sizes[0]} in the weights, and {sizes[1]} in the spec"
            raise failure("E421", message)
        return np.asarray(found, dtype=np.float32)

    def holding(self, weights: Weights) -> Parameters:
        """The same for a layer that uses other values."""
        found = copy(self)
        found.weights = weights
        return found

    def once(self, name: str) -> bool:
        """Whether nothing was written under a name before; now something is."""
        is_first = name not in self._written
        self._written.add(name)
        return is_first
