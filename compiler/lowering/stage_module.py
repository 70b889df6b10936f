"""From a stage of a network to a torch module.

In: a graph, its whole module, and a stage. Out: a module that takes the values that enter the stage and returns those
that it passes on, the results last of all. Its submodules are the whole module's own, under their names: the states of
all stages together are the whole's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from archspec.analyses.partition import Stage, crossing, results_of
from archspec.compiler.lowering.lower import Generated, code, has_module, place
from archspec.graph.ir import Graph, Node


class StageModule(Generated):
    """A stage of a network in torch. Auxiliary classifiers run while training."""

    def forward(self, *values: Tensor) -> Any:
        """Run the stage."""
        return self._train(self, *values) if self.training else self._use(self, *values)


def stage_module(graph: Graph, whole: nn.Module, stage: Stage) -> StageModule:
    """The module of a stage; it shares its weights with the whole network's module."""
    results = results_of(graph)
    module = StageModule(
        _stage_code(graph, graph.trunk, results[:1], stage), _stage_code(graph, graph.nodes, results, stage)
    )
    for node in graph.nodes[stage.begin : stage.end]:
        if has_module(node):
            place(module, node, whole.get_submodule(node.name))
    return module.train(whole.training)


def _stage_code(graph: Graph, nodes: Sequence[Node], results: Sequence[int], stage: Stage) -> str:
    own = [node for node in nodes if stage.begin <= node.index < stage.end]
    given = crossing(nodes, results, stage.begin) or (0,)
    if stage.end == len(graph.nodes):
        return code(graph, own, given, results)
    return code(graph, own, given, crossing(nodes, results, stage.end), packed=True)
