"""The learning rate of each layer, as a share of the run's.

In: a graph and a recipe. Out: shares by the name of the layer, set on parameters, from which the optimiser makes its
groups. A classifier may have its own rate, and the others less the deeper they lie below it (layer-wise decay, Bao et
al. 2021, "BEiT"): at depth l of L, the rate times decay^(L - l).

Depths are counted in order of computation, along the longest path. A layer with a weight matrix is a depth, and a block
that has such layers of its own is one, with all that is in it; a block of blocks is opened. What follows a depth and
has only scales, shifts or embeddings belongs to it. The classifiers are the top. Of a ViT of 12 blocks, the patch
embedding is 0, the blocks 1 to 12 and the classifier 13, as in timm; of a ResNet-18, 0, 1 to 8 and 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

from archspec.graph.ir import Frame, Graph, Node
from archspec.graph.scores import classifiers
from archspec.recipe import FINE_TUNE, Recipe
from archspec.record import replace


def with_head_rate(recipe: Recipe, processes: int) -> Recipe:
    """Return a recipe whose classifier is trained at the full rate, the rest at the lower one of fine-tuning."""
    return replace(recipe, head_lr=recipe.scaled_lr(processes) / FINE_TUNE) if recipe.mode == "fine-tune" else recipe


def rate_shares(graph: Graph, recipe: Recipe, processes: int) -> dict[str, float]:
    """Return the share of each layer whose rate is not that of the run."""
    shares: dict[str, float] = {}
    if recipe.layer_decay != 1:
        depths = layer_depths(graph)
        shares = {name: recipe.layer_decay ** (max(depths.values()) - depth) for name, depth in depths.items()}
    if recipe.head_lr:
        shares |= dict.fromkeys(head_layers(graph), recipe.head_lr / recipe.scaled_lr(processes))
    return shares


def set_shares(module: nn.Module, shares: Mapping[str, float]) -> None:
    """Tell the optimiser, by an attribute of each parameter; a stage of a pipeline has some of the layers."""
    for name, part in module.named_modules():
        if name in shares:
            for parameter in part.parameters():
                parameter.lr_scale = shares[name]


def head_layers(graph: Graph) -> tuple[str, ...]:
    """Return the names of the layers that compute class scores, those of auxiliary classifiers too."""
    nodes = (node for one in classifiers(graph) for node in one.nodes)
    return tuple(dict.fromkeys(owner for node in nodes for owner in graph.owners(node)))


def layer_depths(graph: Graph) -> dict[str, int]:
    """Return the depth of each layer with parameters, from 0 at the input to that of the classifiers."""
    reached: dict[int, int] = {}
    for nodes in _units(graph):
        own = {node.index for node in nodes}
        before = max((reached[index] for node in nodes for index in node.inputs if index not in own), default=-1)
        depth = before + any(node.layer.is_weight_layer for node in nodes)
        reached |= dict.fromkeys(own, depth)
    top = max(reached[node.index] for node in graph.trunk)
    heads = set(head_layers(graph)) | {node.name for node in graph.nodes if node.head}
    with_weights = (node for node in graph.nodes if graph.tensors(node))
    return {node.name: top if node.name in heads else max(0, reached[node.index]) for node in with_weights}


def _units(graph: Graph) -> Iterator[list[Node]]:
    """Yield the nodes of each block that has weight layers of its own, and every other node alone, in order."""
    owners = {node.frame.name for node in graph.nodes if node.frame and node.layer.is_weight_layer}
    unit: list[Node] = []
    last = ""
    for node in graph.nodes:
        owner = _outermost(node.frame, owners)
        if unit and not (owner and owner == last):
            yield unit
            unit = []
        unit.append(node)
        last = owner
    yield unit


def _outermost(frame: Frame | None, owners: set[str]) -> str:
    """Return the name of the outermost of the blocks around a node that is an owner, or an empty text."""
    found = ""
    while frame is not None:
        found = frame.name if frame.name in owners else found
        frame = frame.parent
    return found
