"""What is settled when the whole graph is known."""

import archspec
from archspec.layers.dropout import DropPath


def test_the_rates_of_a_range_go_from_its_first_to_its_last() -> None:
    graph = archspec.loads("[4] INPUT\n" + "FC 4 linear -> DROPPATH 0.1 to 0.3\n" * 3).graph
    rates = [node.layer.p for node in graph.nodes if isinstance(node.layer, DropPath)]
    assert [round(rate, 6) for rate in rates] == [0.1, 0.2, 0.3]
