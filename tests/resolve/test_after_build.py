"""What is settled when the whole graph is known."""

from collections.abc import Sequence

import pytest
import torch

import archspec
from archspec.graph.ir import Graph
from archspec.layers.dropout import DropPath


def rates(graph: Graph) -> list[float]:
    return [node.layer.p for node in graph.nodes if isinstance(node.layer, DropPath)]


def spaced(last: float, count: int) -> list[float]:
    """The rates of timm, and of the code of Swin's and ConvNeXt's authors."""
    return torch.linspace(0, last, count).tolist()


def twice(values: Sequence[float]) -> list[float]:
    return [value for value in values for _ in range(2)]


def test_the_rates_of_a_range_go_from_its_first_to_its_last() -> None:
    graph = archspec.loads("[4] INPUT\n" + "FC 4 linear -> DROPPATH 0.1 to 0.3\n" * 3).graph
    assert rates(graph) == pytest.approx([0.1, 0.2, 0.3])


def test_the_branches_of_a_block_share_a_rate() -> None:
    assert rates(archspec.load("swin_t").graph) == pytest.approx(twice(spaced(0.2, 12)))


@pytest.mark.parametrize(("variant", "last", "count"), [("tiny", 0.1, 18), ("small", 0.4, 36), ("large", 0.5, 36)])
def test_convnexts_rates_are_its_authors(variant: str, last: float, count: int) -> None:
    assert rates(archspec.load("convnext", variant=variant).graph) == pytest.approx(spaced(last, count))


@pytest.mark.parametrize("variant", ["b0", "b1", "b4", "b7"])
def test_efficientnets_rates_count_the_blocks_without_a_shortcut(variant: str) -> None:
    graph = archspec.load("efficientnet", variant=variant).graph
    blocks = list(dict.fromkeys(node.name.split(".body")[0] for node in graph.nodes if ".body" in node.name))
    with_shortcut = [node.name.rsplit(".", 1)[0] for node in graph.nodes if isinstance(node.layer, DropPath)]
    expected = [0.2 * index / len(blocks) for index, name in enumerate(blocks) if name in with_shortcut]
    assert rates(graph) == pytest.approx(expected)
    assert {"b0": 16}.get(variant, len(blocks)) == len(blocks)


def test_blocks_of_two_definitions_share_a_range() -> None:
    unit = "block {}\n    add\n        | FC C -> DROPPATH 0 to 0.3\n        | x\n"
    graph = archspec.loads(unit.format("one") + unit.format("two") + "[4] INPUT\none() -> 2 x two() -> one()\n").graph
    assert rates(graph) == pytest.approx(spaced(0.3, 4))


def test_a_range_in_a_single_block_is_its_first_rate() -> None:
    graph = archspec.loads("[4] INPUT\nadd\n    | DROPPATH 0.1 to 0.3\n    | x\n").graph
    assert rates(graph) == [0.1]
