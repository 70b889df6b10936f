"""The graph of a network, with every name, block and repeat resolved.

In: what the resolver builds. Out: frozen nodes in topological order. Analyses, the lowering and the ONNX emitter read
only this.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from archspec.diagnostics.source import Span
from archspec.graph.volume import Volume
from archspec.layers.base import Layer, Tensor
from archspec.record import Record


class Frame(Record):
    """An instance of a block: its call, and its position among the repeats."""

    call: str  # stage(128, 4, 2)
    span: Span
    name: str  # the path of the instance, stage2.bottleneck3
    ordinal: int = 1
    times: int = 1
    parent: Frame | None = None
    definition: Span | None = None  # of the block


class Node(Record):
    """One layer of the network.

    `implied` marks layers added by `after`; `head` numbers the auxiliary classifiers from 1, and is 0 for the trunk;
    `init` is what an `init` line of its file says of its first weights; `weights` are parameters that it shares with
    another layer.
    """

    index: int
    name: str  # stage2.bottleneck3.conv2
    layer: Layer
    inputs: tuple[int, ...]
    volume: Volume
    frame: Frame | None
    span: Span
    implied: bool = False
    head: int = 0
    init: float | None = None
    weights: SharedWeights | None = None


class SharedWeights(Record):
    """Parameters that a layer shares: the name of the layer that they are called by, and their own names.

    `tower1.conv1` and `("weight", "bias")` are the parameters `tower1.conv1.weight` and `tower1.conv1.bias`.
    """

    owner: str
    tensors: tuple[str, ...]


class Output(Record):
    """A result that leaves the network: its label in the spec, and its node."""

    name: str
    node: int


class LossTerm(Record):
    """A result that a loss is of: its label, its node, and the weight of its loss."""

    name: str
    node: int
    weight: float


class Head(Record):
    """An auxiliary classifier: its loss weight, and the node of its scores."""

    weight: float
    output: int
    number: int


class Graph:
    """A network. Immutable by convention: passes return new graphs."""

    def __init__(
        self,
        title: str,
        nodes: tuple[Node, ...],
        outputs: tuple[Output, ...],
        heads: tuple[Head, ...] = (),
        named_losses: tuple[LossTerm, ...] = (),
    ) -> None:
        self.title = title
        self.nodes = nodes
        self.outputs = outputs
        self.heads = heads
        self.named_losses = named_losses  # of the recipe's `loss` line

    def with_nodes(self, nodes: Iterable[Node]) -> Graph:
        """Return the same network with its nodes replaced, one by one."""
        return Graph(self.title, tuple(nodes), self.outputs, self.heads, self.named_losses)

    @property
    def output(self) -> int:
        """The node of the first output."""
        return self.outputs[0].node

    @property
    def losses(self) -> tuple[LossTerm, ...]:
        """What a training step's loss is of: what the recipe names, or the only output; then the auxiliary classifiers.

        None for a network with several outputs whose recipe names none.
        """
        named = self.named_losses
        if not named and len(self.outputs) > 1:
            return ()
        own = named or (LossTerm(self.outputs[0].name, self.output, 1.0),)
        return (*own, *(LossTerm(self.nodes[head.output].name, head.output, head.weight) for head in self.heads))

    @cached_property
    def sources(self) -> tuple[Node, ...]:
        """The network's inputs, in the order in which its module takes them."""
        return tuple(node for node in self.nodes if not node.inputs)

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """The nodes that read each node, by index. What leaves the network is also read outside: see `readers`."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for index in node.inputs:
                found[index].append(node.index)
        return tuple(map(tuple, found))

    @cached_property
    def readers(self) -> tuple[int, ...]:
        """How often each node's result is read: by nodes, as an output of the network or of a head, and by a loss.

        A loss of an output is not a second reader.
        """
        counts = [len(consumers) for consumers in self.consumers]
        left = [*(output.node for output in self.outputs), *(head.output for head in self.heads)]
        for index in (*left, *({loss.node for loss in self.named_losses} - {*left})):
            counts[index] += 1
        return tuple(counts)

    @property
    def training_results(self) -> tuple[LossTerm, ...]:
        """What the network returns in training: the results of its losses; without any, its outputs and the heads'."""
        if self.losses:
            return self.losses
        outputs = (LossTerm(output.name, output.node, 1.0) for output in self.outputs)
        return (*outputs, *(LossTerm(self.nodes[head.output].name, head.output, head.weight) for head in self.heads))

    @cached_property
    def trained(self) -> tuple[Node, ...]:
        """The nodes used in training: without those that no loss depends on."""
        if not self.named_losses:
            return self.nodes
        wanted = {loss.node for loss in self.losses}
        for node in reversed(self.nodes):
            if node.index in wanted:
                wanted.update(node.inputs)
        return tuple(node for node in self.nodes if node.index in wanted)

    @cached_property
    def trunk(self) -> tuple[Node, ...]:
        """The nodes used in inference: all but the auxiliary classifiers."""
        return tuple(node for node in self.nodes if not node.head)

    def inputs(self, node: Node) -> tuple[Volume, ...]:
        """Return the input volumes of a node."""
        return tuple([self.nodes[index].volume for index in node.inputs])

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """Return the parameters that a node makes: all that it uses, but for those that another node makes."""
        used = node.layer.tensors(self.inputs(node))
        if node.weights is None or self.maker(node) is node:
            return used
        return tuple(tensor for tensor in used if tensor.name not in node.weights.tensors)

    def parameter(self, node: Node, tensor: str) -> str:
        """Return the full name of a parameter that a node uses: `conv1.weight`."""
        is_shared = node.weights is not None and tensor in node.weights.tensors
        return f"{node.weights.owner if node.weights and is_shared else node.name}.{tensor}"

    def owners(self, node: Node) -> tuple[str, ...]:
        """Return the names of the layers that the parameters are called by which a node uses."""
        shared = node.weights.tensors if node.weights else ()
        used = node.layer.tensors(self.inputs(node)) if node.inputs else ()
        owner = node.weights.owner if node.weights else node.name
        return tuple({owner if tensor.name in shared else node.name: None for tensor in used})

    def maker(self, node: Node) -> Node:
        """Return the node that makes the parameters that a node shares; a node that shares none is its own."""
        return node if node.weights is None else self.nodes[self._makers[node.weights.owner]]

    @cached_property
    def _makers(self) -> dict[str, int]:
        """The node that makes the parameters of each owner: the owner, or the first user in a part without it."""
        shared = [node for node in self.nodes if node.weights is not None]
        owners = {node.weights.owner for node in shared if node.weights}
        makers = {node.name: node.index for node in self.nodes if node.name in owners}
        for node in shared:
            assert node.weights is not None
            makers.setdefault(node.weights.owner, node.index)
        return makers
