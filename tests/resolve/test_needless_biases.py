"""A bias is dropped if a BN follows directly, and only then."""

import pytest

import archspec

KEPT = {
    "c: CONV 4 3x3 p1\nBN\nadd\n    | x\n    | @c": True,  # the convolution is read without the BN too
    "c: CONV 4 3x3 p1\nRELU\nBN": True,
    "c: CONV 4 3x3 p1 bias\nBN": True,
    "c: CONV 4 3x3 p1\nBN": False,
    "c: CONV 4 3x3 p1\nBN\nadd\n    | x\n    | RELU": False,
}


@pytest.mark.parametrize(("steps", "kept"), KEPT.items())
def test_only_a_layer_read_by_its_bn_alone_loses_its_bias(steps: str, kept: bool) -> None:
    graph = archspec.loads(f"[8x8x3] INPUT\n{steps}\n").graph
    node = next(node for node in graph.nodes if node.name == "c")
    assert ("bias" in [tensor.name for tensor in graph.tensors(node)]) == kept
