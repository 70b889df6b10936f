"""From the graph to a torch module.

In: a network. Out: an `nn.Module` whose submodules stand under the spec's names, and whose forward pass is generated
Python: one statement a layer, in the graph's order, and each value dropped after its last reader. Nothing is
interpreted at run time, so an eager run costs what a hand-written module's does, and torch.compile sees plain code.
Layers that share parameters are in `sharing.py`.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.analyses.partition import results_of
from archspec.api import Network
from archspec.compiler.lowering.in_place import overwriting
from archspec.compiler.lowering.initialise import Unfilled, initialise
from archspec.compiler.lowering.recompute import recomputed
from archspec.compiler.lowering.sharing import borrowing, call, made, module_names
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

    Takes a batch of each input, in the order of the spec: maps [B, C, H, W], sequences [B, N, C], vectors [B, C], token
    ids [B, N] in int64.

    Returns in evaluation the output, or the tuple of several, in the order of their `output_names`:
    `dict(zip(module.output_names, module(left, right)))`. In training it returns what losses compare with the classes,
    in the order of `loss_names`, each to be weighted by its `loss_weights`: the results that a `loss` line names,
    otherwise all outputs, then the scores of auxiliary classifiers; a tuple if there are several. Layers that no loss
    depends on are left out.
    """

    def __init__(self, code: str, training_code: str, graph: Graph) -> None:
        super().__init__(code, training_code)
        self.output_names = tuple(output.name for output in graph.outputs)
        self.loss_names = tuple(loss.name for loss in graph.training_results)
        self.loss_weights = tuple(loss.weight for loss in graph.training_results)

    def forward(self, *inputs: Tensor) -> Any:
        """Run the network."""
        return self._train(self, *inputs) if self.training else self._use(self, *inputs)


def build(network: Network | Graph, *, seed: int | None = None, follow_init: bool = True) -> Lowered:
    """The torch module of a network, its weights initialised as the papers say (`initialise.py`).

    With a `seed` the weights depend only on it; without one they come from torch's generator. On the meta device, which
    has no values, nothing is initialised. Without `follow_init` the spec's `init` is ignored: a head of zeros would
    hide the layers before it from whoever compares outputs.

    Raises ArchspecError for a layer whose name is an attribute of the torch module.
    """
    graph = network.graph if isinstance(network, Network) else network
    given = tuple(source.index for source in graph.sources)
    outputs = tuple(output.node for output in graph.outputs)
    codes = code(graph, graph.trunk, given, outputs), code(graph, graph.trained, given, results_of(graph))
    module = Lowered(*codes, graph)
    with Unfilled():
        for node in graph.nodes:
            for name in module_names(graph, node):
                place(module, node, name, made(graph, node, name))
    if torch.get_default_device().type != "meta":  # where a normal distribution takes seconds to be decomposed
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        initialise(graph, lambda _, name: module.get_submodule(name), generator, follow_init)
    return module


def place(root: nn.Module, node: Node, full_name: str, module: nn.Module) -> None:
    """Put a module of a node under its name."""
    *path, name = full_name.split(".")
    parent = root
    for part in path:
        if part not in parent._modules:
            _need_free(parent, part, node)
            parent.add_module(part, nn.Module())
        parent = parent.get_submodule(part)
    _need_free(parent, name, node)
    parent.add_module(name, module)


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
    space: dict[str, Any] = {"torch": torch, "functional": functional, "recomputed": recomputed, "borrowing": borrowing}
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
    return call(graph, node, ", ".join((layer.entering(names[0], volumes), *names[1:])))
