"""The module of a run and its first weights: initialised, or those of an earlier run, to be fine-tuned.

In: a run's configuration. Out: its module. Layers for other classes are reinitialised; in a linear probe only the
layers that compute the scores are trained.
"""

from __future__ import annotations

from torch import nn

from archspec.compiler.lowering.lower import Lowered, build
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.weights import files as weights
from archspec.graph.scores import Scores, classifiers


def starting_module(configuration: RunConfiguration) -> tuple[Lowered, tuple[str, ...]]:
    """Return the module, and messages for the user. Raises ArchspecError for weights of another network."""
    network, recipe, start = configuration.network, configuration.recipe, configuration.start
    module = build(network, seed=recipe.seed)
    messages: list[str] = []
    trunk, *others = classifiers(network.graph)
    if start is not None:
        reinitialised = {}
        if start.class_names != configuration.data.class_names:
            own = module.state_dict()
            resized = {node.name for scores in (trunk, *others) for node in scores.nodes}
            reinitialised = {name: value for name, value in own.items() if name.rpartition(".")[0] in resized}
        weights.fill(module, {**start.state, **reinitialised}, f"`{start.path}`")
        other = f"; reinitialised for other classes: {', '.join(reinitialised)}" if reinitialised else ""
        messages.append(f"starting from `{start.path}`{other}")
    if recipe.mode == "linear-probe":
        freeze_all_but(module, trunk)
        names = [node.name for node in trunk.nodes if network.graph.tensors(node)]
        messages.append(f"linear probe: only {' and '.join(names)} {'is' if len(names) == 1 else 'are'} trained")
    return module, tuple(messages)


def freeze_all_but(module: nn.Module, scores: Scores) -> None:
    """Train only the parameters of the layers that compute the scores."""
    names = {node.name for node in scores.nodes}
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name.rpartition(".")[0] in names)
