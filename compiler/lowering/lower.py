"""From the graph to a torch module.

In: a network. Out: an `nn.Module` whose submodules stand under the spec's names, and whose forward pass is generated
Python: one statement a layer, in the graph's order, and each value dropped after its last reader. Nothing is
interpreted at run time, so an eager run costs what a hand-written module's does, and torch.compile sees plain code.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from keyword import iskeyword
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.analyses.partition import results_of
from archspec.api import Network
from archspec.compiler.lowering.in_place import overwriting
from archspec.compiler.lowering.initialise import Unfilled, initialise
from archspec.compiler.lowering.module_of import module_of
from archspec.compiler.lowering.recompute import recomputed
from archspec.diagnostics.errors import failure
from archspec.diagnostics.findings import Label
from archspec.graph.ir import Graph, Node

Forward = Callable[..., Any]
_numbers = count(1)


class Generated(nn.Module):
    """A module with a generated forward pass: `code` and `training_code` are its text, in inference and in training.

    `frozen_norms` names batch normalisations that work in training as in inference.
    """

    def __init__(self, code: str, training_code: str) -> None:
        super().__init__()
        self.code, self.training_code = code, training_code
        self.frozen_norms: tuple[str, ...] = ()
        self._compile()

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all submodules but the frozen normalisations."""
        super().train(mode)
        for name in self.frozen_norms:
            self.get_submodule(name).eval()
        return self

    def _compile(self) -> None:
        self._use = _function(self.code)
        self._train = self._use if self.training_code == self.code else _function(self.training_code)

    def train_with(self, code: str) -> None:
        """Use another forward pass in training; it computes the same."""
        self.training_code = code
        self._compile()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_use", "_train")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]  # torch leaves it so
        self._compile()


class Lowered(Generated):
    """A network in torch.

    Takes images [B, C, H, W] (sequences [B, N, C], vectors [B, C]). Returns the network's output; in training, a
    network with auxiliary classifiers returns a tuple: the output, then theirs, in the order of the spec.
    `loss_weights` are the weights of the tuple's parts.
    """

    def __init__(self, code: str, training_code: str, loss_weights: tuple[float, ...]) -> None:
        super().__init__(code, training_code)
        self.loss_weights = loss_weights

    def forward(self, images: Tensor) -> Any:
        """Run the network."""
        return self._train(self, images) if self.training else self._use(self, images)


def build(network: Network | Graph, *, seed: int | None = None, follow_init: bool = True) -> Lowered:
    """The torch module of a network, its weights initialised as the papers say (`initialise.py`).

    With a `seed` the weights depend only on it; without one they come from torch's generator. On the meta device, which
    has no values, nothing is initialised. Without `follow_init` the spec's `init` is ignored: a head of zeros would
    hide the layers before it from whoever compares outputs.

    Raises ArchspecError for a layer whose name is an attribute of the torch module.
    """
    graph = network.graph if isinstance(network, Network) else network
    results = results_of(graph)
    image = (0,)
    codes = code(graph, graph.trunk, image, results[:1]), code(graph, graph.nodes, image, results)
    module = Lowered(*codes, loss_weights(graph))
    with Unfilled():
        for node in graph.nodes:
            _add_module(module, graph, node)
    if torch.get_default_device().type != "meta":  # where a normal distribution takes seconds to be decomposed
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        initialise(graph, lambda node: module.get_submodule(node.name), generator, follow_init)
    return module


def loss_weights(graph: Graph) -> tuple[float, ...]:
    """The weights of the losses of the output and of the auxiliary classifiers, in the order of the spec."""
    return (1.0, *(head.weight for head in graph.heads))


def _add_module(root: nn.Module, graph: Graph, node: Node) -> None:
    if not has_module(node):
        return
    place(root, node, module_of(node.layer, graph.inputs(node)))


def has_module(node: Node) -> bool:
    """Whether a node is a submodule rather than an expression."""
    return bool(node.inputs) and not node.layer.is_expression


def place(root: nn.Module, node: Node, made: nn.Module) -> None:
    """Put a node's module under its name."""
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
    """Raise if the torch module has an attribute of this name: `train`, `type`, `forward`."""
    if hasattr(parent, name):
        message = f"`{name}` cannot name a layer: the torch module has an attribute of that name"
        label = Label(node.span, "named here")
        raise failure("E400", message, (label,), helps=("choose another label",))


def _function(code: str) -> Forward:
    """The forward pass as a function of the module and the images."""
    name = f"<archspec network {next(_numbers)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)  # for tracebacks
    space: dict[str, Any] = {"torch": torch, "functional": functional, "recomputed": recomputed}
    exec(compile(code, name, "exec"), space)  # generated below from the graph alone
    forward: Forward = space["forward"]
    return forward


def code(  # noqa: PLR0913  # what is run, what enters, what leaves, and two names
    graph: Graph,
    nodes: Sequence[Node],
    given: Sequence[int],
    results: Sequence[int],
    *,
    name: str = "forward",
    packed: bool = False,
) -> str:
    """The text of the forward pass over some nodes, a function of the given values.

    Results sent to another process are `packed`: contiguous in memory.
    """
    arguments = ", ".join(["self", *(f"v{index}" for index in given)])
    return "\n".join([f"def {name}({arguments}):", *statements(graph, nodes, given, results, packed)]) + "\n"


def statements(
    graph: Graph, nodes: Sequence[Node], given: Sequence[int], results: Sequence[int], packed: bool = False
) -> Iterable[str]:
    """The lines of a function over some nodes: each value, deleted after its last reader, and the results."""
    last_reader = {index: node.index for node in nodes for index in node.inputs}
    in_place = overwriting(graph, given)
    for node in nodes:
        if not node.inputs:
            continue
        dead = sorted({index for index in node.inputs if last_reader[index] == node.index and index not in results})
        yield f"    v{node.index} = {_expression(graph, node, in_place)}  # {node.name}"
        if dead:
            yield f"    del {', '.join(f'v{index}' for index in dead)}"
    ending = ".contiguous()" if packed else ""
    yield f"    return {', '.join(f'v{index}{ending}' for index in results)}"


def _expression(graph: Graph, node: Node, in_place: frozenset[int]) -> str:
    layer, volumes = node.layer, graph.inputs(node)
    names = [f"v{index}" for index in node.inputs]
    if node.index in in_place:
        return layer.overwriting(names)
    if layer.is_expression:
        return layer.expression(names, volumes)
    return f"{submodule(node.name)}({layer.entering(names[0], volumes)})"


def submodule(name: str) -> str:
    """The expression of a module by its name."""
    found = "self"
    for part in name.split("."):  # a label may be a word of Python
        found = f"getattr({found}, {part!r})" if iskeyword(part) else f"{found}.{part}"
    return found
