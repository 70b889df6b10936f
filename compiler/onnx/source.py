"""What is exported: a spec with initialised weights, or a weights file.

In: what the user names, and the changes to a spec. Out: the graph up to the wanted result, its torch module, and what
the file will say of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

import archspec
from archspec.compiler import build
from archspec.compiler.about import About, result, untrained
from archspec.compiler.onnx.extent import named, upto
from archspec.ir import Graph


@dataclass(frozen=True)
class Exported:
    """A network with weights; `description` says which."""

    graph: Graph
    module: nn.Module
    about: About
    description: str


def read(source: str, changes: dict[str, Any], output: str | None, seed: int) -> Exported:
    """Find what is exported. Raises SpecError for a spec that is wrong and weights that do not fit theirs."""
    network = archspec.load(source, **changes)
    last = named(network.graph, output)
    graph = upto(network.graph, last)
    about = About(network.title, result(network.graph, last), None, untrained(network.input))
    node = network.graph.nodes[last]
    extent = f" up to `{node.name}` {node.volume}" if output else ""
    description = f"{network.title}{extent} with weights initialised by seed {seed}"
    return Exported(graph, build(graph, seed=seed), about, description)


