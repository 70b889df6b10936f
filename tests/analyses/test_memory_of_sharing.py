"""The memory of steps with several inputs and outputs and with shared weights, against real steps of the module."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archspec.analyses.memory import training_peak
from archspec.analyses.memory.recomputation import checkpointed_peak
from archspec.compiler.lowering.checkpointed import checkpointed_code
from archspec.graph.ir import Graph
from support.graphs import Sketch
from support.memory_measures import Lowered, training_bytes

BATCH = 4
MAPS = ("CONV 32 3x3 p1", "RELU", "CONV 32 3x3 p1", "BN", "RELU")
LARGE = ("CONV 4 3x3 p1", "RELU", "FC 128", "RELU", "FC 10")  # most of it weights


def twins(*texts: str) -> Graph:
    """A tower that sees two images."""
    sketch = Sketch()
    sketch.input("left", 24, 24, 4)
    sketch.input("right", 24, 24, 4)
    first = sketch.tower("one", "left", *texts)
    second = sketch.tower("two", "right", *texts, weights="one")
    sketch.layer("product", "mul", first, second)
    if not sketch.nodes[-1].volume.is_map:
        return sketch.graph()
    sketch.layer("gap", "GAP")
    return _scored(sketch)


def thrice() -> Graph:
    """A CONV that is used three times, one after another."""
    sketch = Sketch()
    sketch.input("input", 4, 4, 192)
    sketch.layer("owner", "CONV 192 3x3 p1")
    sketch.layer("r1", "RELU")
    sketch.layer("again", "CONV 192 3x3 p1", weights="owner")
    sketch.layer("r2", "RELU")
    sketch.layer("padded", "CONV 192 3x3 p0:2 nobias", weights="owner")
    sketch.layer("gap", "GAP")
    return _scored(sketch)


def tied() -> Graph:
    """An FC with the weights of another, and without its bias."""
    sketch = Sketch()
    sketch.input("input", 512)
    sketch.layer("square", "FC 512")
    sketch.layer("r", "RELU")
    sketch.layer("tied", "FC 512 nobias", weights="square")
    sketch.layer("again", "FC 512 nobias", weights="square")
    return _scored(sketch)


def _scored(sketch: Sketch) -> Graph:
    sketch.layer("scores", "FC 10")
    return sketch.graph()


def pyramid() -> Graph:
    """Two maps of scores of different sizes, one of which others read, and an unread one."""
    sketch = Sketch()
    sketch.input("input", 32, 32, 8)
    sketch.layer("c1", "CONV 32 3x3 p1")
    sketch.layer("r1", "RELU")
    sketch.layer("fine", "CONV 16 3x3 p1")
    sketch.layer("r2", "RELU")
    sketch.layer("pool", "POOL 2x2 s2")
    sketch.layer("coarse", "CONV 16 3x3 p1")
    return sketch.graph("fine", "coarse")


def distilled() -> Graph:
    """Losses of two heads; the output is their sum, which training does not compute, and so is a large layer."""
    sketch = Sketch()
    sketch.input("input", 512)
    sketch.layer("stem", "FC 512")
    sketch.layer("class", "FC 10", "stem")
    sketch.layer("teacher", "FC 10", "stem")
    sketch.layer("scores", "add", "class", "teacher")
    sketch.layer("unused", "FC 10", "stem")
    return sketch.graph("scores", "unused", losses=(("class", 0.5), ("teacher", 0.5)))


GRAPHS = {
    "twins": twins(*MAPS),
    "twins of many weights": twins(*LARGE),
    "thrice": thrice(),
    "tied": tied(),
    "pyramid": pyramid(),
    "distilled": distilled(),
}


@pytest.mark.parametrize("name", ["thrice", "tied", "pyramid", "distilled"])
def test_the_peak_is_torchs(name: str) -> None:
    compare(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["twins", "twins of many weights"])
def test_the_peak_of_two_towers_is_torchs(name: str, record_property: Callable[[str, object], None]) -> None:
    compare(name)
    record_property("sweep", f"memory of a step of {name} that share weights: within 2 % of torch's")


def compare(name: str) -> None:
    found = training_peak(GRAPHS[name], BATCH, 0.0).total
    assert found == pytest.approx(training_bytes(GRAPHS[name], BATCH, 0.0, Lowered), rel=0.02)


class Checkpointed(Lowered):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.module.train_with(checkpointed_code(graph, CUTS))


CUTS = (4, 6)


def test_the_peak_with_checkpointing_is_torchs() -> None:
    graph = GRAPHS["twins"]
    found = checkpointed_peak(graph, CUTS, BATCH, 0.0).total
    assert found == pytest.approx(training_bytes(graph, BATCH, 0.0, Checkpointed), rel=0.02)
    assert found != training_peak(graph, BATCH, 0.0).total
