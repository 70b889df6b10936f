"""Layers that share parameters: whose module computes which layer, and what is borrowed.

In: a graph and a node. Out: the modules that the node puts into the network, and the call that computes it. Parameters
are registered once, under the name of their owner. A layer that would have the same module as the one that makes them
is computed by that module, statistics of a BN included. Any other (an FC that borrows the vectors of an EMBED) has a
module of its own without them, which is called with the owner's: gradients of all uses add up in one tensor.
"""

from __future__ import annotations

from collections.abc import Collection
from keyword import iskeyword

from torch import Tensor, nn
from torch.func import functional_call

from archspec.compiler.lowering.module_of import module_of
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import Label
from archspec.graph.ir import Graph, Node


def module_names(graph: Graph, node: Node) -> tuple[str, ...]:
    """Return the names of the modules that a node puts into the network; none if another's module computes it."""
    if not has_module(node):
        return ()
    if node.weights is None:
        return (node.name,)
    is_maker = graph.maker(node) is node  # in a part of a network without the owner
    if _uses_the_makers(graph, node):
        return (node.weights.owner,) if is_maker else ()
    return (node.weights.owner, node.name) if is_maker else (node.name,)


def has_module(node: Node) -> bool:
    """Whether a module computes a node rather than an expression."""
    return bool(node.inputs) and not node.layer.is_expression


def made(graph: Graph, node: Node, name: str) -> nn.Module:
    """Return the module of a node that is to stand under one of its `module_names`.

    Raises ArchspecError for a BN that cannot share its statistics.
    """
    module = module_of(node.layer, graph.inputs(node))
    if node.weights is None or _uses_the_makers(graph, node):
        return module
    if node.layer.has_statistics:
        owner = graph.maker(node)
        message = f"{node.name} cannot use the weights of {owner.name}: their statistics are of other dimensions"
        raise failure("E119", message, (Label(node.span, f"of {graph.inputs(node)[0]}"),))
    is_own = name == node.name
    _drop(module, [one for one, _ in module.named_parameters() if (one in node.weights.tensors) == is_own])
    return module


def call(graph: Graph, node: Node, arguments: str) -> str:
    """Return the expression that computes a node that has a module."""
    if node.weights is None:
        return f"{attribute(node.name)}({arguments})"
    if _uses_the_makers(graph, node):
        return f"{attribute(node.weights.owner)}({arguments})"
    borrowed = ", ".join(f"{one!r}: {attribute(f'{node.weights.owner}.{one}')}" for one in node.weights.tensors)
    return f"borrowing({attribute(node.name)}, {{{borrowed}}}, {arguments})"


def borrowing(module: nn.Module, tensors: dict[str, Tensor], *inputs: Tensor) -> Tensor:
    """Run a module with the parameters of another."""
    found: Tensor = functional_call(module, tensors, inputs)
    return found


def computing(graph: Graph, node: Node) -> str:
    """Return the name of the module that computes a node."""
    return node.weights.owner if node.weights is not None and _uses_the_makers(graph, node) else node.name


def attribute(name: str) -> str:
    """Return the expression of a module or a parameter by its name."""
    found = "self"
    for part in name.split("."):  # a label may be a word of Python
        found = f"getattr({found}, {part!r})" if iskeyword(part) else f"{found}.{part}"
    return found


def _uses_the_makers(graph: Graph, node: Node) -> bool:
    """Whether the module of the layer that makes the shared parameters computes this one too."""
    maker, inputs = graph.maker(node), graph.inputs(node)
    assert node.weights is not None
    if maker is node:
        return {one.name for one in node.layer.tensors(inputs)} <= set(node.weights.tensors)
    own, other = node.layer.module(inputs), maker.layer.module(graph.inputs(maker))
    if own is not None or other is not None:
        return own == other
    return node.layer == maker.layer and (node.layer.has_statistics or inputs == graph.inputs(maker))


def _drop(module: nn.Module, names: Collection[str]) -> None:
    for name in names:
        path, _, own = name.rpartition(".")
        setattr(module.get_submodule(path), own, None)
