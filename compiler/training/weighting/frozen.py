"""Layers that are not trained.

In: a graph and a recipe. Out: the names of its frozen layers: those that a pattern of `--freeze` names, alone or by a
block around them, in a linear probe all but the classifier, and those that no loss depends on, which get no gradient:
DDP would wait for it. Layers that share weights are frozen together, under the name of their owner. Frozen batch
normalisations also keep their statistics and normalise by them, as in inference: otherwise the features would change
although no weight does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from archspec.compiler.lowering.lower import Generated
from archspec.diagnostics.errors import ArchspecError, failure
from archspec.diagnostics.findings import named, suggest
from archspec.graph.ir import Graph
from archspec.graph.scores import classifiers
from archspec.recipe import Recipe

MOST_SHOWN = 12


def frozen_layers(graph: Graph, recipe: Recipe) -> frozenset[str]:
    """Return the names. Raises ArchspecError for a pattern without a layer, and if no layer would be trained."""
    layers = [node.name for node in graph.nodes if graph.tensors(node)]
    frozen = set(without_loss(graph))
    if recipe.mode == "linear-probe":
        frozen = set(layers).difference(*(graph.owners(node) for node in classifiers(graph)[0].nodes))
    for pattern in recipe.freeze:
        named = (node for node in graph.nodes if any(fnmatchcase(part, pattern) for part in _paths(node.name)))
        own = {owner for node in named for owner in graph.owners(node)}
        if not own:
            raise _unnamed(pattern, layers)
        frozen |= own
    if frozen.issuperset(layers):
        helps = ("leave out a `--freeze`: at least one layer has to be trained",)
        raise failure("E011", f"`--freeze` leaves none of the {len(layers)} layers with weights to train", helps=helps)
    return frozenset(frozen)


def without_loss(graph: Graph) -> tuple[str, ...]:
    """Return the names of the layers with weights that no loss depends on, not by a layer that shares them either."""
    if len(graph.trained) == len(graph.nodes):
        return ()
    learning = {owner for node in graph.trained for owner in graph.owners(node)}
    return tuple(node.name for node in graph.nodes if graph.tensors(node) and node.name not in learning)


def freeze(module: Generated, names: Iterable[str]) -> None:
    """Do not train the parameters and batch statistics of these layers, some of which may be in other stages."""
    norms = []
    parts: dict[str, nn.Module] = dict(module.named_modules())
    for name in parts.keys() & set(names):
        part = parts[name]
        part.requires_grad_(False)
        norms += [name] if isinstance(part, _BatchNorm) else []
    module.frozen_norms = tuple(sorted(norms))


def _paths(name: str) -> Iterator[str]:
    """Yield the names of the blocks around a layer, from the outermost, then its own."""
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _numbered(pattern: str, known: list[str]) -> str | None:
    """Return the name that begins with a pattern's letters and has its number: `conv1` for `C1`."""
    parts = re.fullmatch(r"([A-Za-z]+)[_-]?(\d+)", pattern)
    if parts is None:
        return None
    own = re.compile(rf"{parts[1].lower()}[a-z]*{parts[2]}")
    return next((name for name in known if own.fullmatch(name.lower())), None)


def _unnamed(pattern: str, layers: list[str]) -> ArchspecError:
    known = list(dict.fromkeys(path for name in layers for path in _paths(name)))
    core = pattern.rstrip("*?.")
    near = _numbered(core, known) or suggest(core, known)
    outer = list(dict.fromkeys(name.partition(".")[0] for name in layers))
    notes = (f"the layers and blocks with weights are {named(outer, MOST_SHOWN)}",)
    helps = (f"`--freeze '{near}{pattern[len(core) :]}'`",) if near else ("`archspec check --all` shows every layer",)
    return failure("E011", f"`--freeze {pattern}` names no layer with weights", notes=notes, helps=helps)
