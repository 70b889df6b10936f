"""The module of a run and its first weights: initialised, or those of an earlier run, to be fine-tuned.

In: a run's configuration. Out: its module, or in a pipeline that of this process's stage. Layers for other classes are
reinitialised; layers that the recipe freezes are not trained.
"""

from __future__ import annotations

import torch

from archspec.analyses.partition import cut
from archspec.compiler.lowering.lower import Lowered, build
from archspec.compiler.lowering.stage_module import StageModule, build_stage
from archspec.compiler.training.parallel.processes import Group
from archspec.compiler.training.setup.configuration import RunConfiguration
from archspec.compiler.training.setup.plan import ParameterCounts
from archspec.compiler.training.weighting.frozen import freeze, frozen_layers
from archspec.compiler.weights import files as weights
from archspec.graph.scores import classifiers


def starting_module(
    configuration: RunConfiguration, group: Group
) -> tuple[Lowered | StageModule, ParameterCounts, tuple[str, ...]]:
    """Return the module, the parameters of the whole network, and messages for the user.

    A process of a pipeline allocates the weights of its stage alone. Raises ArchspecError for weights of another
    network, and for more stages than layers with weights.
    """
    network, recipe, start = configuration.network, configuration.recipe, configuration.start
    module: Lowered | StageModule
    if group.is_pipeline:
        module = build_stage(network.graph, cut(network.graph, group.size)[group.rank], recipe.seed)
        with torch.device("meta"):
            whole = build(network)
    else:
        module = whole = build(network, seed=recipe.seed)
    messages: list[str] = []
    trunk, *others = classifiers(network.graph)
    if start is not None:
        reinitialised = {}
        if configuration.is_for_other_classes:
            own = whole.state_dict()
            nodes = (node for scores in (trunk, *others) for node in scores.nodes)
            resized = {owner for node in nodes for owner in network.graph.owners(node)}
            reinitialised = {name: value for name, value in own.items() if name.rpartition(".")[0] in resized}
        weights.need_fit(whole, {**start.state, **reinitialised}, f"`{start.path}`")
        own = module.state_dict()
        module.load_state_dict({name: own[name] if name in reinitialised else start.state[name] for name in own})
        other = f"; reinitialised for other classes: {', '.join(reinitialised)}" if reinitialised else ""
        messages.append(f"starting from `{start.path}`{other}")
    for one in (module, whole):  # a stage, and the whole network whose parameters are counted
        freeze(one, frozen_layers(network.graph, recipe))
    if recipe.mode == "linear-probe":
        names = list(dict.fromkeys(owner for node in trunk.nodes for owner in network.graph.owners(node)))
        messages.append(f"linear probe: only {' and '.join(names)} {'is' if len(names) == 1 else 'are'} trained")
    return module, ParameterCounts.of(whole), tuple(messages)
