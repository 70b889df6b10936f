"""Graphs written node by node, for what a back end must compute whatever the language calls it."""

from archspec.diagnostics.source import Source, Span
from archspec.graph.ir import Graph, LossTerm, Node, Output, SharedWeights
from archspec.graph.volume import Volume
from archspec.layers.base import Layer
from archspec.layers.input import Input
from support.layer_cases import built

SPAN = Span(Source("sketch", ""), 0, 0)


class Sketch:
    """A graph that grows: each layer reads those named before it, the last one by default."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def input(self, name: str, *sizes: int, tokens: bool = False) -> None:
        self._add(name, Input(tokens=tokens), (), Volume(sizes), None)

    def layer(self, name: str, text: str | Layer, *inputs: str, weights: str | None = None) -> None:
        """Add a layer; with `weights` it shares the tensors of a layer that have the names and shapes of its own."""
        layer = text if isinstance(text, Layer) else built(text)
        sources = [self.named(one) for one in inputs] or self.nodes[-1:]
        volumes = tuple(node.volume for node in sources)
        shared = None
        if weights is not None:
            owner = self.named(weights)
            theirs = owner.layer.tensors(tuple(self.nodes[index].volume for index in owner.inputs))
            common = {(one.name, one.shape) for one in theirs}
            names = (one.name for one in layer.tensors(volumes) if (one.name, one.shape) in common)
            shared = SharedWeights(weights, tuple(names))
        self._add(name, layer, tuple(node.index for node in sources), layer.output(volumes), shared)

    def tower(self, name: str, source: str, *texts: str, weights: str | None = None) -> str:
        """Add layers in a chain, called `tower.1`, `tower.2`, ...; with `weights` those of another tower."""
        for number, text in enumerate(texts, 1):
            layer = built(text)
            has_weights = bool(layer.tensors((self.named(source).volume,)))
            owner = f"{weights}.l{number}" if weights and has_weights else None
            self.layer(f"{name}.l{number}", layer, source, weights=owner)
            source = f"{name}.l{number}"
        return source

    def graph(self, *outputs: str, losses: tuple[tuple[str, float], ...] = ()) -> Graph:
        """The graph with some outputs, by default the last layer."""
        found = tuple(Output(name, self.named(name).index) for name in outputs or (self.nodes[-1].name,))
        named = tuple(LossTerm(name, self.named(name).index, weight) for name, weight in losses)
        return Graph("sketch", tuple(self.nodes), found, named_losses=named)

    def named(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def _add(
        self, name: str, layer: Layer, inputs: tuple[int, ...], volume: Volume, weights: SharedWeights | None
    ) -> None:
        self.nodes.append(Node(len(self.nodes), name, layer, inputs, volume, None, SPAN, weights=weights))


TOWER = ("CONV 4 3x3 p1 nobias", "BN", "RELU", "MAXPOOL 2x2 s2", "CONV 6 3x3", "RELU", "FC 5")


def two_outputs() -> Graph:
    """The graph of `hand_written.sharing.TwoOutputs`."""
    sketch = Sketch()
    sketch.input("input", 6, 6, 3)
    for name, text in (("stem", "CONV 4 3x3 p1"), ("r1", "RELU"), ("map", "CONV 6 1x1"), ("r2", "RELU")):
        sketch.layer(name, text)
    sketch.layer("gap", "GAP")
    sketch.layer("head", "FC 5")
    return sketch.graph("map", "head")


def siamese() -> Graph:
    """The graph of `hand_written.sharing.Siamese`."""
    sketch = Sketch()
    sketch.input("left", 8, 8, 1)
    first = sketch.tower("left", "left", *TOWER)
    sketch.input("right", 8, 8, 1)
    second = sketch.tower("right", "right", *TOWER, weights="left")
    sketch.layer("product", "mul", first, second)
    return sketch.graph()
