"""What a run begins from: first weights, or those of an earlier run to be tuned further.

In: a network, the recipe's mode, a weights file. Out: its module. A last layer for other classes begins
anew; in a linear probe it alone learns.
"""

from __future__ import annotations

from torch import nn

from archspec.api import Network
from archspec.compiler.lowering.lower import Lowered, build
from archspec.compiler.weights import files as weights
from archspec.compiler.weights.trained import Trained
from archspec.graph.ir import Graph
from archspec.recipe import Recipe


def begin(
    network: Network, recipe: Recipe, start: Trained | None, class_names: tuple[str, ...]
) -> tuple[Lowered, list[str]]:
    """The module, and what is to be said of it. Raises ArchspecError for weights of another network."""
    module = build(network, seed=recipe.seed)
    said: list[str] = []
    ends = classifiers(network.graph)
    if start is not None:
        state = dict(start.state)
        anew = {name: value for name, value in module.state_dict().items() if name.rpartition(".")[0] in ends}
        if start.class_names == class_names:
            anew = {}
        state.update(anew)
        weights.fill(module, state, f"`{start.path}`")
        said.append(f"from `{start.path}`" + (f"; {', '.join(anew)} begin anew: other classes" if anew else ""))
    if recipe.mode == "linear-probe":
        freeze(module, ends[:1])
        said.append(f"a linear probe: {ends[0]} alone learns")
    return module, said


def classifiers(graph: Graph) -> list[str]:
    """The names of the last layers with weights: the trunk's first, then those of auxiliary classifiers."""
    return [_last_with_weights(graph, end) for end in (graph.output, *(head.output for head in graph.heads))]


def _last_with_weights(graph: Graph, end: int) -> str:
    node = graph.nodes[end]
    while node.inputs and not node.layer.is_weight_layer:
        node = graph.nodes[node.inputs[0]]
    return node.name


def freeze(module: nn.Module, but: list[str]) -> None:
    """Let these layers alone learn."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name.rpartition(".")[0] in but)
