"""From the graph to a torch module.

In: a network. Out: an `nn.Module` whose submodules stand under the spec's names, and whose forward pass is generated
Python: one statement a layer, in the graph's order, and each value dropped behind its last reader. Nothing is
interpreted at run time, so an eager run costs what a hand-written module's does, and torch.compile sees plain code.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from itertools import count
from keyword import iskeyword
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.api import Network
from archspec.compiler.expressions import EXPRESSIONS, IN_PLACE, entering
from archspec.compiler.in_place import overwriting
from archspec.compiler.initialise import Unfilled, initialise
from archspec.compiler.modules import module_of
from archspec.diagnostics import Diagnostic, Label, SpecError
from archspec.ir import Graph, Node

Forward = Callable[..., Any]
_numbers = count(1)


class Lowered(nn.Module):
    """A network in torch.

    Takes images [B, C, H, W] (sequences [B, N, C], vectors [B, C]). Returns the network's output; a network with
    auxiliary classifiers returns while training a tuple: the output, then theirs, in the order of the spec.
    `loss_weights` are those of the tuple's parts. `code` and `training_code` are the text of the forward pass.
    """

    def __init__(self, code: str, training_code: str, loss_weights: tuple[float, ...]) -> None:
        super().__init__()
        self.code, self.training_code = code, training_code
        self.loss_weights = loss_weights
        self._compile()

    def _compile(self) -> None:
        self._use = _function(self.code)
        self._train = self._use if self.training_code == self.code else _function(self.training_code)

    def forward(self, images: Tensor) -> Any:
        """Run the network."""
        if self.training and len(self.loss_weights) > 1:
            return self._train(self, images)
        return self._use(self, images)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_use", "_train")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]  # torch leaves it so
        self._compile()


def build(network: Network | Graph, *, seed: int | None = None) -> Lowered:
    """The torch module of a network, its weights initialised as the papers say (`initialise.py`).

    With a `seed` the weights depend on nothing else; without one they are torch's generator's.

    Raises SpecError for a layer whose name torch has for something else.
    """
    graph = network.graph if isinstance(network, Network) else network
    ends = (graph.output, *(head.output for head in graph.heads))
    weights = (1.0, *(head.weight for head in graph.heads))
    module = Lowered(_code(graph, graph.trunk, ends[:1]), _code(graph, graph.nodes, ends), weights)
    with Unfilled():
        for node in graph.nodes:
            if node.inputs:
                _add_module(module, graph, node)
    initialise(graph, module, None if seed is None else torch.Generator().manual_seed(seed))
    return module


def _add_module(root: nn.Module, graph: Graph, node: Node) -> None:
    made = module_of(node.layer, graph.inputs(node), node.volume) if type(node.layer) not in EXPRESSIONS else None
    if made is None:
        if type(node.layer) not in EXPRESSIONS:
            raise NotImplementedError(f"{node.layer.keyword} has no torch module")  # a test goes over all layers
        return
    *path, name = node.name.split(".")
    parent = root
    for part in path:
        if part not in parent._modules:
            _need_free(parent, part, node)
            parent.add_module(part, nn.Module())
        parent = parent.get_submodule(part)
    _need_free(parent, name, node)
    parent.add_module(name, made)


def _need_free(parent: nn.Module, name: str, node: Node) -> None:
    """Raise where torch has something of this name: `train`, `type`, `forward`."""
    if hasattr(parent, name):
        message = f"`{name}` cannot name a layer: the torch module has something of that name"
        label = Label(node.span, "named here")
        raise SpecError([Diagnostic("E400", message, (label,), helps=("choose another label",))])


def _function(code: str) -> Forward:
    """The forward pass as a function of the module and the images."""
    name = f"<archspec network {next(_numbers)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)  # for tracebacks
    space: dict[str, Any] = {"torch": torch, "functional": functional}
    exec(compile(code, name, "exec"), space)  # generated below from the graph alone
    forward: Forward = space["forward"]
    return forward


def _code(graph: Graph, nodes: Iterable[Node], ends: tuple[int, ...]) -> str:
    """The text of the forward pass over some nodes."""
    return "\n".join(["def forward(self, v0):", *_statements(graph, tuple(nodes), ends)]) + "\n"


def _statements(graph: Graph, nodes: tuple[Node, ...], ends: tuple[int, ...]) -> Iterable[str]:
    last_reader = {index: node.index for node in nodes for index in node.inputs}
    in_place = overwriting(graph)
    for node in nodes:
        if not node.inputs:
            continue
        dead = sorted({index for index in node.inputs if last_reader[index] == node.index and index not in ends})
        yield f"    v{node.index} = {_expression(graph, node, in_place)}  # {node.name}"
        if dead:
            yield f"    del {', '.join(f'v{index}' for index in dead)}"
    results = ", ".join(f"v{index}" for index in ends)
    yield f"    return {results}"


def _expression(graph: Graph, node: Node, in_place: frozenset[int]) -> str:
    layer, volumes = node.layer, graph.inputs(node)
    names = [f"v{index}" for index in node.inputs]
    if type(layer) in EXPRESSIONS:
        table = IN_PLACE if node.index in in_place else EXPRESSIONS
        return table[type(layer)](layer, names, volumes)
    return f"{_submodule(node.name)}({entering(layer, names[0], volumes[0])})"


def _submodule(name: str) -> str:
    found = "self"
    for part in name.split("."):  # a label may be a word of Python
        found = f"getattr({found}, {part!r})" if iskeyword(part) else f"{found}.{part}"
    return found
