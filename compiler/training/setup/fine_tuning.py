"""The module of a run and its first weights: initialised, or those of an earlier run, to be fine-tuned.

In: a run's configuration. Out: its module. Layers for other classes are reinitialised, layers that the recipe freezes
are not trained.
"""

from __future__ import annotations

from archspec.compiler.lowering.lower import Lowered, build
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.weighting.frozen import freeze, frozen_layers
from archspec.compiler.weights import files as weights
from archspec.graph.scores import classifiers


def starting_module(configuration: RunConfiguration) -> tuple[Lowered, tuple[str, ...]]:
    """Return the module, and messages for the user. Raises ArchspecError for weights of another network."""
    network, recipe, start = configuration.network, configuration.recipe, configuration.start
    module = build(network, seed=recipe.seed)
    messages: list[str] = []
    trunk, *others = classifiers(network.graph)
    if start is not None:
        reinitialised = {}
        if configuration.is_for_other_classes:
            own = module.state_dict()
            resized = {node.name for scores in (trunk, *others) for node in scores.nodes}
            reinitialised = {name: value for name, value in own.items() if name.rpartition(".")[0] in resized}
        weights.fill(module, {**start.state, **reinitialised}, f"`{start.path}`")
        other = f"; reinitialised for other classes: {', '.join(reinitialised)}" if reinitialised else ""
        messages.append(f"starting from `{start.path}`{other}")
    freeze(module, frozen_layers(network.graph, recipe))
    if recipe.mode == "linear-probe":
        names = [node.name for node in trunk.nodes if network.graph.tensors(node)]
        messages.append(f"linear probe: only {' and '.join(names)} {'is' if len(names) == 1 else 'are'} trained")
    return module, tuple(messages)
