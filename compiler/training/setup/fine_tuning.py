"""The module of a run and its first weights: initialised, or those of an earlier run, to be fine-tuned.

In: a run's configuration. Out: its module. A last layer for other classes is reinitialised; in a linear probe only the
last layer is trained.
"""

from __future__ import annotations

from torch import nn

from archspec.compiler.lowering.lower import Lowered, build
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.weights import files as weights
from archspec.graph.ir import Graph


def starting_module(configuration: RunConfiguration) -> tuple[Lowered, tuple[str, ...]]:
    """Return the module, and messages for the user. Raises ArchspecError for weights of another network."""
    network, recipe, start = configuration.network, configuration.recipe, configuration.start
    module = build(network, seed=recipe.seed)
    messages: list[str] = []
    last_layers = classifiers(network.graph)
    if start is not None:
        reinitialised = {}
        if start.class_names != configuration.data.class_names:
            own = module.state_dict()
            reinitialised = {name: value for name, value in own.items() if name.rpartition(".")[0] in last_layers}
        weights.fill(module, {**start.state, **reinitialised}, f"`{start.path}`")
        other = f"; reinitialised for other classes: {', '.join(reinitialised)}" if reinitialised else ""
        messages.append(f"starting from `{start.path}`{other}")
    if recipe.mode == "linear-probe":
        freeze_all_but(module, last_layers[0])
        messages.append(f"linear probe: only {last_layers[0]} is trained")
    return module, tuple(messages)


def classifiers(graph: Graph) -> list[str]:
    """Return the last layers with weights: the network's own first, then those of auxiliary classifiers."""
    return [_last_with_weights(graph, end) for end in (graph.output, *(head.output for head in graph.heads))]


def _last_with_weights(graph: Graph, end: int) -> str:
    node = graph.nodes[end]
    while node.inputs and not node.layer.is_weight_layer:
        node = graph.nodes[node.inputs[0]]
    return node.name


def freeze_all_but(module: nn.Module, layer: str) -> None:
    """Train the parameters of one layer only."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name.rpartition(".")[0] == layer)
