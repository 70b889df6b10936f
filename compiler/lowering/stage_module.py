"""From a stage of a network to a torch module.

In: a graph, a stage, and either its whole module or a seed. Out: a module that takes the values that enter the stage
and returns those that it passes on, the results last of all. Its submodules have the names of the whole module's: the
states of all stages together are the whole's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Generator, Tensor, nn

from archspec.analyses.partition import Stage, crossing, results_of
from archspec.compiler.lowering.initialise import Unfilled, initialise
from archspec.compiler.lowering.lower import Generated, code, place
from archspec.compiler.lowering.sharing import made, module_names
from archspec.graph.ir import Graph, Node


class StageModule(Generated):
    """A stage of a network in torch. Auxiliary classifiers run while training."""

    def forward(self, *values: Tensor) -> Any:
        """Run the stage."""
        return self._train(self, *values) if self.training else self._use(self, *values)


def stage_module(graph: Graph, whole: nn.Module, stage: Stage) -> StageModule:
    """The module of a stage; it shares its weights with the whole network's module."""
    return _stage_of(graph, stage, lambda _, name: whole.get_submodule(name)).train(whole.training)


def build_stage(graph: Graph, stage: Stage, seed: int) -> StageModule:
    """The module of a stage with the first weights that `build` gives the whole network.

    All layers draw from one generator, so those before the stage are built, filled and dropped one by one.
    """
    with Unfilled():
        module = _stage_of(graph, stage, partial(made, graph))

    def find(node: Node, name: str) -> nn.Module:
        if stage.begin <= node.index < stage.end:
            return module.get_submodule(name)
        with Unfilled():
            return made(graph, node, name)

    initialise(graph, find, Generator().manual_seed(seed))
    return module


def _stage_of(graph: Graph, stage: Stage, find: Callable[[Node, str], nn.Module]) -> StageModule:
    outputs = tuple(output.node for output in graph.outputs)
    module = StageModule(
        _stage_code(graph, graph.trunk, outputs, stage), _stage_code(graph, graph.trained, results_of(graph), stage)
    )
    for node in graph.nodes[stage.begin : stage.end]:
        for name in module_names(graph, node):
            place(module, node, name, find(node, name))
    return module


def _stage_code(graph: Graph, nodes: Sequence[Node], results: Sequence[int], stage: Stage) -> str:
    own = [node for node in nodes if stage.begin <= node.index < stage.end]
    given = crossing(nodes, results, stage.begin) if stage.begin else [source.index for source in graph.sources]
    if stage.end == len(graph.nodes):
        return code(graph, own, given, results)
    return code(graph, own, given, crossing(nodes, results, stage.end), packed=True)
